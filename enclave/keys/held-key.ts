import { type Algorithm, describeAlgorithm, type KeyType } from '../../shared/node/algorithms.ts';
import { type Payload } from '../../shared/node/api.ts';
import { KeyError } from './errors.ts';

/** The types of keys that one node makes and uses alone; shares of a group's key are in enclave/frost. */
export const SOLE_KEY_TYPES = ['ed25519', 'p256', 'secp256k1'] as const satisfies readonly KeyType[];
export type SoleKeyType = (typeof SOLE_KEY_TYPES)[number];

export function isSoleKeyType(type: KeyType): type is SoleKeyType {
  return (SOLE_KEY_TYPES as readonly KeyType[]).includes(type);
}

/** A payload in bytes: `digest` and a non-empty `merkleRoot` are 32 bytes long. */
export type PayloadBytes =
  | { readonly kind: 'message'; readonly message: Uint8Array }
  | { readonly kind: 'digest'; readonly digest: Uint8Array }
  | { readonly kind: 'taproot-sighash'; readonly digest: Uint8Array; readonly merkleRoot: Uint8Array };

export interface SigningRequest {
  readonly algorithm: Algorithm;
  readonly payload: PayloadBytes;
}

export interface KeySignature {
  /** 64 bytes: R ‖ S, or r ‖ s with a low s. */
  readonly signature: Uint8Array;
  /** What verifies it: raw Ed25519, compressed SEC1 for ECDSA, x-only for BIP-340. */
  readonly publicKey: Uint8Array;
  /** ECDSA on secp256k1 only: the parity of R's y, for public key recovery. */
  readonly recovery?: 0 | 1;
}

/** A private key in memory. Only its closure holds the secret; nothing enumerable does. */
export interface HeldKey {
  readonly type: SoleKeyType;
  /** Raw Ed25519 (32 bytes) or compressed SEC1 (33 bytes). */
  readonly publicKey: Uint8Array;
  /** @throws KeyError ALGORITHM_MISMATCH, PAYLOAD_MISMATCH, KEY_DESTROYED */
  sign(request: SigningRequest): KeySignature;
  /** The secret for the sealed store: the caller seals it and clears it. @throws KeyError KEY_DESTROYED */
  serialise(): Uint8Array<ArrayBuffer>;
  /** Clears the secret; every later use throws. */
  destroy(): void;
}

/** The bytes of a request's payload; the schema has checked the hex. */
export function parsePayload(payload: Payload): PayloadBytes {
  if (payload.kind === 'message') return { kind: 'message', message: Buffer.from(payload.message, 'hex') };
  const digest = Buffer.from(payload.digest, 'hex');
  if (payload.kind === 'digest') return { kind: 'digest', digest };
  return { kind: 'taproot-sighash', digest, merkleRoot: Buffer.from(payload.merkleRoot, 'hex') };
}

/** @throws KeyError ALGORITHM_MISMATCH, PAYLOAD_MISMATCH */
export function assertSignable(type: KeyType, { algorithm, payload }: SigningRequest): void {
  const rules = describeAlgorithm(algorithm);
  if (rules.key !== type)
    throw new KeyError('ALGORITHM_MISMATCH', 'another type of key', { type, algorithm });
  if (!rules.payloads.includes(payload.kind)) {
    throw new KeyError('PAYLOAD_MISMATCH', 'not a payload of this algorithm', {
      algorithm,
      kind: payload.kind,
    });
  }
  if (payload.kind === 'message') return;
  const { kind, digest } = payload;
  if (digest.length !== 32) throw new KeyError('PAYLOAD_MISMATCH', 'a digest has 32 bytes', { kind });
  if (kind === 'taproot-sighash' && payload.merkleRoot.length !== 0 && payload.merkleRoot.length !== 32) {
    throw new KeyError('PAYLOAD_MISMATCH', 'a merkle root has 32 bytes or none', { kind });
  }
}
