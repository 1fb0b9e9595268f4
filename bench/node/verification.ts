import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { keccak256 } from 'viem';
import type { Algorithm } from '../../shared/algorithms.ts';
import { isBlindPayload } from '../../shared/api/bodies.ts';
import type { SignResponse, SignRequest } from '../../shared/api/bodies.ts';

type Verify = (signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array, prehash: boolean) => boolean;

const VERIFY: Partial<Record<Algorithm, Verify>> = {
  ed25519: (signature, message, key) => ed25519.verify(signature, message, key),
  'ecdsa-p256-sha256': (signature, bytes, key, prehash) => p256.verify(signature, bytes, key, { prehash }),
  'ecdsa-secp256k1': (signature, bytes, key, prehash) => secp256k1.verify(signature, bytes, key, { prehash }),
  bip340: (signature, digest, key) => schnorr.verify(signature, digest, key),
};

/** Verifies a response. @throws Error when it does not hold a signature over the request's payload */
export function verifyResponse({ algorithm, payload }: SignRequest, response: SignResponse): void {
  const [signature, publicKey, bytes] = [response.signature, response.publicKey, findSigned(payload)].map(
    (text) => Buffer.from(text, 'hex'),
  );
  const verify = VERIFY[algorithm];
  if (verify === undefined || signature === undefined || bytes === undefined || publicKey === undefined) {
    throw new Error(`expected an algorithm that this benchmark verifies, found ${algorithm}`);
  }
  if (!verify(signature, bytes, publicKey, payload.kind === 'message')) {
    throw new Error(`expected a signature that verifies by ${algorithm}`);
  }
}

/** Finds what a payload has signed: a message, or a digest, in hex. */
function findSigned(payload: SignRequest['payload']): string {
  if (payload.kind === 'ethereum-transaction') return keccak256(`0x${payload.transaction}`).slice(2);
  if (payload.kind === 'tezos-operation')
    return bytesToHex(blake2b(hexToBytes(payload.operation), { dkLen: 32 }));
  if (!isBlindPayload(payload)) throw new Error(`expected another payload than ${payload.kind}`);
  return payload.kind === 'message' ? payload.message : payload.digest;
}
