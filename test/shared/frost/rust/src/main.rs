//! A participant of FROST by the Zcash Foundation's crates: one request in JSON a line, one response a line. Byte
//! strings are hex, containers are those of the crates, and no state is kept between lines.

use frost_core::keys::{dkg, refresh, repairable, KeyPackage, PublicKeyPackage};
use frost_core::{round1, round2, Ciphersuite, Field, Group, Identifier, Signature, SigningPackage, VerifyingKey};
use rand_core::OsRng;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{stdin, BufRead};

type Outcome = Result<Value, String>;

fn text(value: &Value, name: &str) -> Result<Vec<u8>, String> {
    hex::decode(value[name].as_str().ok_or(format!("no {name}"))?).map_err(|_| format!("no hex in {name}"))
}

fn number(value: &Value, name: &str) -> Result<u16, String> {
    value[name].as_u64().and_then(|n| n.try_into().ok()).ok_or(format!("no number {name}"))
}

fn id<C: Ciphersuite>(number: u16) -> Result<Identifier<C>, String> {
    Identifier::try_from(number).map_err(fail)
}

fn fail<E: std::fmt::Debug>(error: E) -> String {
    format!("{error:?}")
}

/// Decodes a map from participants to hex.
fn map<C: Ciphersuite, T>(
    value: &Value,
    name: &str,
    decode: impl Fn(&[u8]) -> Result<T, frost_core::Error<C>>,
) -> Result<BTreeMap<Identifier<C>, T>, String> {
    let mut out = BTreeMap::new();
    for (key, bytes) in value[name].as_object().ok_or(format!("no map {name}"))? {
        let bytes = hex::decode(bytes.as_str().ok_or("no hex")?).map_err(fail)?;
        out.insert(id(key.parse().map_err(fail)?)?, decode(&bytes).map_err(fail)?);
    }
    Ok(out)
}

/// Encodes a map by the numbers of all participants from 1 to 255 that are in it.
fn encode<C: Ciphersuite, T>(
    values: &BTreeMap<Identifier<C>, T>,
    write: impl Fn(&T) -> Result<Vec<u8>, String>,
) -> Outcome {
    let mut out = serde_json::Map::new();
    for participant in 1..=255u16 {
        if let Some(value) = values.get(&id(participant)?) {
            out.insert(participant.to_string(), json!(hex::encode(write(value)?)));
        }
    }
    Ok(Value::Object(out))
}

fn answer<C: Ciphersuite>(request: &Value) -> Outcome {
    let mut rng = OsRng;
    match request["do"].as_str().unwrap_or("") {
        step @ ("generate-1" | "refresh-1") => {
            let (me, n, t) = (id::<C>(number(request, "id")?)?, number(request, "n")?, number(request, "t")?);
            let (secret, package) = if step == "generate-1" {
                dkg::part1::<C, _>(me, n, t, &mut rng)
            } else {
                refresh::refresh_dkg_part1::<C, _>(me, n, t, &mut rng)
            }
            .map_err(fail)?;
            let coefficients: Vec<String> = secret
                .coefficients()
                .iter()
                .map(|scalar| hex::encode(<<C::Group as Group>::Field as Field>::serialize(scalar)))
                .collect();
            Ok(json!({
                "secret": hex::encode(secret.serialize().map_err(fail)?),
                "package": hex::encode(package.serialize().map_err(fail)?),
                "coefficients": coefficients,
            }))
        }
        step @ ("generate-2" | "refresh-2") => {
            let secret = dkg::round1::SecretPackage::<C>::deserialize(&text(request, "secret")?).map_err(fail)?;
            let first = map(request, "packages", dkg::round1::Package::<C>::deserialize)?;
            let (secret, packages) = if step == "generate-2" {
                dkg::part2(secret, &first)
            } else {
                refresh::refresh_dkg_part2(secret, &first)
            }
            .map_err(fail)?;
            Ok(json!({
                "secret": hex::encode(secret.serialize().map_err(fail)?),
                "packages": encode(&packages, |package| package.serialize().map_err(fail))?,
            }))
        }
        step @ ("generate-3" | "refresh-3") => {
            let secret = dkg::round2::SecretPackage::<C>::deserialize(&text(request, "secret")?).map_err(fail)?;
            let first = map(request, "first", dkg::round1::Package::<C>::deserialize)?;
            let second = map(request, "second", dkg::round2::Package::<C>::deserialize)?;
            let (key, public) = if step == "generate-3" {
                dkg::part3(&secret, &first, &second)
            } else {
                let public = PublicKeyPackage::deserialize(&text(request, "public")?).map_err(fail)?;
                let key = KeyPackage::deserialize(&text(request, "key")?).map_err(fail)?;
                refresh::refresh_dkg_shares(&secret, &first, &second, public, key)
            }
            .map_err(fail)?;
            Ok(json!({
                "key": hex::encode(key.serialize().map_err(fail)?),
                "public": hex::encode(public.serialize().map_err(fail)?),
            }))
        }
        "commit" => {
            let key = KeyPackage::<C>::deserialize(&text(request, "key")?).map_err(fail)?;
            let (nonces, commitments) = round1::commit(key.signing_share(), &mut rng);
            Ok(json!({
                "nonces": hex::encode(nonces.serialize().map_err(fail)?),
                "commitments": hex::encode(commitments.serialize().map_err(fail)?),
            }))
        }
        "sign" => {
            let key = KeyPackage::<C>::deserialize(&text(request, "key")?).map_err(fail)?;
            let nonces = round1::SigningNonces::deserialize(&text(request, "nonces")?).map_err(fail)?;
            let package = SigningPackage::deserialize(&text(request, "package")?).map_err(fail)?;
            let share = round2::sign(&package, &nonces, &key).map_err(fail)?;
            Ok(json!(hex::encode(share.serialize())))
        }
        "aggregate" => {
            let package = SigningPackage::<C>::deserialize(&text(request, "package")?).map_err(fail)?;
            let shares = map(request, "shares", round2::SignatureShare::<C>::deserialize)?;
            let public = PublicKeyPackage::deserialize(&text(request, "public")?).map_err(fail)?;
            let signature = frost_core::aggregate(&package, &shares, &public).map_err(fail)?;
            Ok(json!(hex::encode(signature.serialize().map_err(fail)?)))
        }
        "verify" => {
            let key = VerifyingKey::<C>::deserialize(&text(request, "key")?).map_err(fail)?;
            let signature = Signature::<C>::deserialize(&text(request, "signature")?).map_err(fail)?;
            key.verify(&text(request, "message")?, &signature).map_err(fail)?;
            Ok(json!("valid"))
        }
        "repair-1" => {
            let key = KeyPackage::<C>::deserialize(&text(request, "key")?).map_err(fail)?;
            let helpers = request["helpers"].as_array().ok_or("no helpers")?;
            let helpers = helpers
                .iter()
                .map(|helper| id::<C>(helper.as_u64().unwrap_or(0) as u16))
                .collect::<Result<Vec<_>, _>>()?;
            let target = id(number(request, "target")?)?;
            let deltas = repairable::repair_share_part1::<C, _>(&helpers, &key, &mut rng, target).map_err(fail)?;
            encode(&deltas, |delta| Ok(delta.serialize()))
        }
        "repair-2" => {
            let deltas = map(request, "deltas", repairable::Delta::<C>::deserialize)?;
            let deltas: Vec<_> = deltas.into_values().collect();
            Ok(json!(hex::encode(repairable::repair_share_part2(&deltas).serialize())))
        }
        "repair-3" => {
            let sigmas = map(request, "sigmas", repairable::Sigma::<C>::deserialize)?;
            let sigmas: Vec<_> = sigmas.into_values().collect();
            let public = PublicKeyPackage::<C>::deserialize(&text(request, "public")?).map_err(fail)?;
            let target = id(number(request, "target")?)?;
            let key = repairable::repair_share_part3(&sigmas, target, &public).map_err(fail)?;
            Ok(json!(hex::encode(key.serialize().map_err(fail)?)))
        }
        other => Err(format!("no such request: {other}")),
    }
}

fn main() {
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let outcome = match request["suite"].as_str().unwrap_or("") {
            "frost-ed25519" => answer::<frost_ed25519::Ed25519Sha512>(&request),
            "frost-ristretto255" => answer::<frost_ristretto255::Ristretto255Sha512>(&request),
            "frost-p256" => answer::<frost_p256::P256Sha256>(&request),
            "frost-secp256k1-taproot" => answer::<frost_secp256k1_tr::Secp256K1Sha256TR>(&request),
            other => Err(format!("no such suite: {other}")),
        };
        println!(
            "{}",
            match outcome {
                Ok(value) => json!({ "ok": value }),
                Err(error) => json!({ "error": error }),
            }
        );
    }
}
