//! Times the steps of one participant with the Zcash Foundation's crates, packages decoded from bytes in each.
//!
//! Usage: zf-frost SUITE THRESHOLD PARTICIPANTS REPETITIONS     SUITE is ed25519 or taproot
//! Prints microseconds of processor time: commit sign aggregate generate

use rand_core::OsRng;
use std::collections::BTreeMap;

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut TimeSpec) -> i32;
}

/// Microseconds of processor time that this process has used: CLOCK_PROCESS_CPUTIME_ID of Linux.
fn processor_time() -> f64 {
    let mut time = TimeSpec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the pointer is to a timespec of 64-bit Linux, which the call fills.
    assert_eq!(unsafe { clock_gettime(2, &mut time) }, 0);
    time.seconds as f64 * 1e6 + time.nanoseconds as f64 / 1e3
}

/// Microseconds that one of `count` runs takes.
fn measure(count: usize, mut run: impl FnMut(usize)) -> f64 {
    let start = processor_time();
    for number in 0..count {
        run(number);
    }
    (processor_time() - start) / count as f64
}

macro_rules! steps {
    ($name:ident, $frost:ident) => {
        fn $name(threshold: u16, participants: u16, count: usize) -> [f64; 4] {
            use $frost as frost;
            let message = [7u8; 32];
            let (shares, public) =
                frost::keys::generate_with_dealer(participants, threshold, frost::keys::IdentifierList::Default, OsRng)
                    .unwrap();
            let keys: Vec<frost::keys::KeyPackage> =
                shares.into_values().take(threshold.into()).map(|share| share.try_into().unwrap()).collect();

            let commit = measure(count, |_| {
                let (_, commitments) = frost::round1::commit(keys[0].signing_share(), &mut OsRng);
                std::hint::black_box(commitments.serialize().unwrap());
            });

            let others: Vec<_> = keys[1..]
                .iter()
                .map(|key| (*key.identifier(), frost::round1::commit(key.signing_share(), &mut OsRng)))
                .collect();
            let own: Vec<_> = (0..count).map(|_| frost::round1::commit(keys[0].signing_share(), &mut OsRng)).collect();
            let list = |number: usize| -> Vec<(frost::Identifier, Vec<u8>)> {
                let first = (*keys[0].identifier(), own[number].1.serialize().unwrap());
                let rest = others.iter().map(|(id, (_, sent))| (*id, sent.serialize().unwrap()));
                std::iter::once(first).chain(rest).collect()
            };
            let lists: Vec<_> = (0..count).map(list).collect();
            let decode = |list: &[(frost::Identifier, Vec<u8>)]| {
                let decoded: BTreeMap<_, _> = list
                    .iter()
                    .map(|(id, bytes)| (*id, frost::round1::SigningCommitments::deserialize(bytes).unwrap()))
                    .collect();
                frost::SigningPackage::new(decoded, &message)
            };
            let mut signed = Vec::with_capacity(count);
            let sign = measure(count, |number| {
                signed.push(frost::round2::sign(&decode(&lists[number]), &own[number].0, &keys[0]).unwrap().serialize());
            });

            let sent: Vec<Vec<(frost::Identifier, Vec<u8>)>> = (0..count)
                .map(|number| {
                    let package = decode(&lists[number]);
                    let rest = others.iter().zip(&keys[1..]).map(|((id, (nonces, _)), key)| {
                        (*id, frost::round2::sign(&package, nonces, key).unwrap().serialize())
                    });
                    std::iter::once((*keys[0].identifier(), signed[number].clone())).chain(rest).collect()
                })
                .collect();
            let aggregate = measure(count, |number| {
                let shares: BTreeMap<_, _> = sent[number]
                    .iter()
                    .map(|(id, bytes)| (*id, frost::round2::SignatureShare::deserialize(bytes).unwrap()))
                    .collect();
                std::hint::black_box(frost::aggregate(&decode(&lists[number]), &shares, &public).unwrap());
            });

            // All participants run; their time is shared out evenly.
            let ids: Vec<frost::Identifier> = (1..=participants).map(|number| number.try_into().unwrap()).collect();
            let generate = measure(count.div_ceil(10), |_| {
                let mut secrets = BTreeMap::new();
                let mut first = BTreeMap::new();
                for id in &ids {
                    let (secret, package) =
                        frost::keys::dkg::part1(*id, participants, threshold, &mut OsRng).unwrap();
                    secrets.insert(*id, secret);
                    first.insert(*id, package.serialize().unwrap());
                }
                let mut seconds = BTreeMap::new();
                let mut parts: BTreeMap<frost::Identifier, BTreeMap<frost::Identifier, Vec<u8>>> = BTreeMap::new();
                let mut received = BTreeMap::new();
                for (id, secret) in secrets {
                    let packages: BTreeMap<_, _> = first
                        .iter()
                        .filter(|(sender, _)| **sender != id)
                        .map(|(sender, bytes)| {
                            (*sender, frost::keys::dkg::round1::Package::deserialize(bytes).unwrap())
                        })
                        .collect();
                    let (second, sent) = frost::keys::dkg::part2(secret, &packages).unwrap();
                    for (receiver, package) in sent {
                        parts.entry(receiver).or_default().insert(id, package.serialize().unwrap());
                    }
                    seconds.insert(id, second);
                    received.insert(id, packages);
                }
                for id in &ids {
                    let decoded: BTreeMap<_, _> = parts[id]
                        .iter()
                        .map(|(sender, bytes)| {
                            (*sender, frost::keys::dkg::round2::Package::deserialize(bytes).unwrap())
                        })
                        .collect();
                    std::hint::black_box(frost::keys::dkg::part3(&seconds[id], &received[id], &decoded).unwrap());
                }
            }) / f64::from(participants);
            [commit, sign, aggregate, generate]
        }
    };
}

steps!(time_ed25519, frost_ed25519);
steps!(time_taproot, frost_secp256k1_tr);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [suite, threshold, participants, count] = arguments.as_slice() else {
        eprintln!("usage: zf-frost ed25519|taproot THRESHOLD PARTICIPANTS REPETITIONS");
        std::process::exit(2);
    };
    let run = if suite == "taproot" { time_taproot } else { time_ed25519 };
    let times = run(threshold.parse().unwrap(), participants.parse().unwrap(), count.parse().unwrap());
    println!("{}", times.map(|time| format!("{time:.2}")).join(" "));
}
