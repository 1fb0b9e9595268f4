import { bls12_381 } from '@noble/curves/bls12-381.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { b58Encode, b58DecodePublicKeyHash, BLS12_381_DST, getPkhfromPk, PrefixV2 } from '@taquito/utils';

const SECRET = new Uint8Array(32).fill(7);
const ECDSA = { prehash: false } as const;
const { longSignatures } = bls12_381;

/** A client with a key of its own, which signs by noble and writes by taquito. */
export interface TestClient {
  readonly publicKey: string;
  readonly hash: string;
  /** Signs the bytes of a request; under the prefix `sig` where `isGeneric`. */
  sign(message: Uint8Array, isGeneric?: boolean): string;
}

function makeClient(
  publicKey: string,
  prefix: PrefixV2,
  sign: (message: Uint8Array) => Uint8Array,
): TestClient {
  return {
    publicKey,
    hash: getPkhfromPk(publicKey),
    sign: (message, isGeneric = false) =>
      b58Encode(sign(message), isGeneric ? PrefixV2.GenericSignature : prefix),
  };
}
const digest = (message: Uint8Array) => blake2b(message, { dkLen: 32 });

export const CLIENTS = {
  tz1: makeClient(
    b58Encode(ed25519.getPublicKey(SECRET), PrefixV2.Ed25519PublicKey),
    PrefixV2.Ed25519Signature,
    (message) => ed25519.sign(digest(message), SECRET),
  ),
  tz2: makeClient(
    b58Encode(secp256k1.getPublicKey(SECRET), PrefixV2.Secp256k1PublicKey),
    PrefixV2.Secp256k1Signature,
    (message) => secp256k1.sign(digest(message), SECRET, ECDSA),
  ),
  tz3: makeClient(
    b58Encode(p256.getPublicKey(SECRET), PrefixV2.P256PublicKey),
    PrefixV2.P256Signature,
    (message) => p256.sign(digest(message), SECRET, ECDSA),
  ),
  tz4: makeClient(
    b58Encode(longSignatures.getPublicKey(SECRET).toBytes(true), PrefixV2.BLS12_381PublicKey),
    PrefixV2.BLS12_381Signature,
    (message) =>
      longSignatures.Signature.toBytes(
        longSignatures.sign(longSignatures.hash(message, BLS12_381_DST), SECRET),
      ),
  ),
} as const;

/** Writes what a client signs: 04 01, the hash of the key with its tag, the payload (hex). */
export function authenticated(key: string, payload: string): Uint8Array {
  return Buffer.from(`0401${b58DecodePublicKeyHash(key)}${payload}`, 'hex');
}
