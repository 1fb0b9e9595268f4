#!/bin/bash
# What the crate psbt-v2 signs for an input of a PSBT of version 2 that states no sequence number.
#
# BIP-370, PSBT_IN_SEQUENCE: "If omitted, the sequence number is assumed to be the final sequence number (0xffffffff)". The
# crate's documentation of `Input::sequence` says the same.
#
# Seen: the unsigned transaction of psbt-v2 0.3.0, over which its Signer computes signature hashes, has sequence 0; its
# Extractor writes 0xffffffff. What it has signed is then not valid; where another signer's signature is over the final
# sequence, and a reader trusts the unsigned transaction, relative lock times (BIP-68) appear that are not there. Also,
# printing an error of its deserialisation panics with "not yet implemented", and an output of amount 0, which every
# OP_RETURN output is, is refused as one without an amount.
#
# Needs cargo. Exit 0: as written here; 1: the behaviour is another.
set -euo pipefail
VERSION=0.3.0 BITCOIN=0.32.102

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cd "$work"
cat > Cargo.toml << END
[package]
name = "sequence"
version = "0.1.0"
edition = "2021"

[dependencies]
bitcoin = "=$BITCOIN"
psbt-v2 = "=$VERSION"
END

cat > src/main.rs << 'END'
use bitcoin::hex::FromHex;
use psbt_v2::v2::{Psbt, Signer};

// BIP-370, "1 input, 2 output PSBTv2, required fields only".
const REQUIRED_ONLY: &str = "70736274ff01020402000000010401010105010201fb040200000000010e200b0ad921419c1c8719735d72dc739f9ea9e0638d1fe4c1eef0f9944084815fc8010f0400000000000103080008af2f000000000104160014c430f64c4756da310dbd1a085572ef299926272c000103088bbdeb0b0000000001041600144dd193ac964a56ac1b9e1cca8454fe2f474f851300";

fn main() {
    let psbt = Psbt::deserialize(&Vec::from_hex(REQUIRED_ONLY).unwrap()).unwrap();
    let transaction = Signer::new(psbt).unwrap().unsigned_tx();
    println!("sequence {:#010x}", transaction.input[0].sequence.0);

    // The second output as OP_RETURN with an amount of 0.
    let zero = REQUIRED_ONLY.replace("0103088bbdeb0b0000000001041600144dd193ac964a56ac1b9e1cca8454fe2f474f8513", "01030800000000000000000104016a");
    println!("amount 0: {:?}", Psbt::deserialize(&Vec::from_hex(&zero).unwrap()).err());

    let error = Psbt::deserialize(&[0]).unwrap_err();
    println!("printed: {}", std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| error.to_string())).is_ok());
}
END

result=$(cargo run --quiet 2> log) || {
  tail -3 log >&2
  exit 1
}
printf '%s\n' "$result"
[[ $result == 'sequence 0x00000000
amount 0: Some(DecodeOutput(MissingValue))
printed: false' ]]
