//! Reads PSBTs with rust-bitcoin and psbt-v2, and verifies transactions with the script interpreter of Bitcoin Core.
//!
//! One request a line on standard input, one response a line on standard output:
//!   psbt NETWORK HEX                        JSON of the transaction, or `refused REASON`
//!   verify HEX AMOUNT:SCRIPT[,…]            `valid`, or `refused REASON`; the outputs that the inputs spend, in their order
//!   genesis NETWORK                         id of the network's first block

use std::fmt::Debug;
use std::io::{stdin, stdout, BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

use bitcoin::consensus::deserialize;
use bitcoin::hex::FromHex;
use bitcoin::psbt::{Psbt, PsbtSighashType};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::{Address, Network, ScriptBuf, Transaction, TxOut};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT};

struct Input {
    previous: Option<Transaction>,
    witness_output: Option<TxOut>,
    witness_script: Option<ScriptBuf>,
    sighash_type: Option<PsbtSighashType>,
}

struct Reading {
    version: u32,
    transaction: Transaction,
    inputs: Vec<Input>,
    serialised: Vec<u8>,
}

fn text(error: impl Debug) -> String {
    // psbt-v2 has no Display for its errors: it panics with `not yet implemented`.
    format!("{error:?}")
}

fn read(bytes: &[u8]) -> Result<Reading, String> {
    let psbt = Psbt::deserialize(bytes);
    if let Ok(psbt) = psbt {
        let inputs = psbt.inputs.iter().cloned().map(|input| Input {
            previous: input.non_witness_utxo,
            witness_output: input.witness_utxo,
            witness_script: input.witness_script,
            sighash_type: input.sighash_type,
        });
        return Ok(Reading {
            version: 0,
            inputs: inputs.collect(),
            serialised: psbt.serialize(),
            transaction: psbt.unsigned_tx,
        });
    }
    let version_0 = text(psbt.err());
    let mut psbt = psbt_v2::v2::Psbt::deserialize(bytes)
        .map_err(|error| format!("version 0: {version_0}, version 2: {}", text(error)))?;
    let serialised = psbt.serialize();
    for input in &mut psbt.inputs {
        // BIP-370 and psbt-v2's own documentation say so; its unsigned transaction has 0 in place of an absent one.
        input.sequence.get_or_insert(bitcoin::Sequence::MAX);
    }
    let inputs = psbt.inputs.iter().cloned().map(|input| Input {
        previous: input.non_witness_utxo,
        witness_output: input.witness_utxo,
        witness_script: input.witness_script,
        sighash_type: input
            .sighash_type
            .map(|kind| PsbtSighashType::from_u32(kind.to_u32())),
    });
    let inputs = inputs.collect();
    let transaction = psbt_v2::v2::Signer::new(psbt).map_err(text)?.unsigned_tx();
    Ok(Reading { version: 2, inputs, serialised, transaction })
}

fn spent_output(reading: &Reading, index: usize) -> Option<TxOut> {
    let outpoint = reading.transaction.input[index].previous_output;
    let input = &reading.inputs[index];
    match &input.previous {
        Some(previous) if previous.compute_txid() == outpoint.txid => {
            previous.output.get(outpoint.vout as usize).cloned()
        }
        Some(_) => None,
        None => input.witness_output.clone(),
    }
}

fn digest(reading: &Reading, index: usize, spent: &[TxOut]) -> Option<String> {
    let output = &spent[index];
    let input = &reading.inputs[index];
    let mut cache = SighashCache::new(&reading.transaction);
    if output.script_pubkey.is_p2tr() {
        let kind = match input.sighash_type {
            Some(kind) => kind.taproot_hash_ty().ok()?,
            None => bitcoin::TapSighashType::Default,
        };
        let isolated = kind as u8 & 0x80 != 0;
        let all = Prevouts::All(spent);
        let one = Prevouts::One(index, output.clone());
        let chosen = if isolated { &one } else { &all };
        let hash = cache.taproot_key_spend_signature_hash(index, chosen, kind);
        return hash.ok().map(|hash| hash.to_string());
    }
    let kind = match input.sighash_type {
        Some(kind) => kind.ecdsa_hash_ty().ok()?,
        None => bitcoin::EcdsaSighashType::All,
    };
    let hash = if output.script_pubkey.is_p2wpkh() {
        cache.p2wpkh_signature_hash(index, &output.script_pubkey, output.value, kind).ok()
    } else if output.script_pubkey.is_p2wsh() {
        let script = input.witness_script.as_ref()?;
        cache.p2wsh_signature_hash(index, script, output.value, kind).ok()
    } else {
        None
    };
    hash.map(|hash| hash.to_string())
}

fn read_psbt(network: &str, hex: &str) -> Result<String, String> {
    let network: Network = network.parse().map_err(text)?;
    let bytes = Vec::from_hex(hex).map_err(text)?;
    let reading = read(&bytes)?;
    let transaction = &reading.transaction;
    let spent: Option<Vec<TxOut>> =
        (0..reading.inputs.len()).map(|index| spent_output(&reading, index)).collect();
    let spent = spent.ok_or("an input without its output")?;
    let inputs: Vec<String> = transaction.input.iter().enumerate().map(|(index, input)| {
        let digest = digest(&reading, index, &spent).unwrap_or_default();
        format!(
            r#"{{"outpoint":"{}","sequence":{},"amount":"{}","script":"{:x}","digest":"{digest}"}}"#,
            input.previous_output,
            input.sequence.0,
            spent[index].value.to_sat(),
            spent[index].script_pubkey,
        )
    }).collect();
    let outputs: Vec<String> = transaction.output.iter().map(|output| {
        let address = Address::from_script(&output.script_pubkey, network);
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        format!(r#"{{"amount":"{}","address":"{address}"}}"#, output.value.to_sat())
    }).collect();
    Ok(format!(
        r#"{{"psbtVersion":{},"version":{},"lockTime":{},"txid":"{}","isSame":{},"inputs":[{}],"outputs":[{}]}}"#,
        reading.version,
        transaction.version.0,
        transaction.lock_time.to_consensus_u32(),
        transaction.compute_txid(),
        reading.serialised == bytes,
        inputs.join(","),
        outputs.join(","),
    ))
}

fn verify(hex: &str, outputs: &str) -> Result<String, String> {
    let bytes = Vec::from_hex(hex).map_err(text)?;
    let transaction: Transaction = deserialize(&bytes).map_err(text)?;
    let spent: Vec<(u64, Vec<u8>)> = outputs
        .split(',')
        .map(|output| {
            let (amount, script) = output.split_once(':').ok_or("an output without a script")?;
            Ok((amount.parse().map_err(text)?, Vec::from_hex(script).map_err(text)?))
        })
        .collect::<Result<_, String>>()?;
    let utxos: Vec<Utxo> = spent
        .iter()
        .map(|(amount, script)| Utxo {
            script_pubkey: script.as_ptr(),
            script_pubkey_len: script.len() as u32,
            value: *amount as i64,
        })
        .collect();
    for index in 0..transaction.input.len() {
        let (amount, script) = spent.get(index).ok_or("fewer outputs than inputs")?;
        let flags = VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT;
        bitcoinconsensus::verify_with_flags(script, *amount, &bytes, Some(&utxos), index, flags)
            .map_err(|error| format!("input {index}: {error:?}"))?;
    }
    Ok("valid".into())
}

fn genesis(network: &str) -> Result<String, String> {
    let network: Network = network.parse().map_err(text)?;
    Ok(bitcoin::blockdata::constants::genesis_block(network).block_hash().to_string())
}

fn main() {
    for line in stdin().lock().lines() {
        let line = line.expect("a line");
        let parts: Vec<&str> = line.split(' ').collect();
        let respond = || match parts[..] {
            ["psbt", network, hex] => read_psbt(network, hex),
            ["verify", hex, outputs] => verify(hex, outputs),
            ["genesis", network] => genesis(network),
            _ => Err("an unknown request".into()),
        };
        let response = catch_unwind(AssertUnwindSafe(respond)).unwrap_or_else(|_| Err("panicked".into()));
        let response = response.unwrap_or_else(|reason| format!("refused {}", reason.replace('\n', " ")));
        writeln!(stdout(), "{response}").expect("standard output");
        stdout().flush().expect("standard output");
    }
}
