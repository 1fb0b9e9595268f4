import type { KeyUsage } from '../../shared/algorithms.ts';
import { KeyError } from './errors.ts';
import type { HeldKeyType } from './held-key.ts';

/*
 * The serialised form. Of a key of the configuration: one byte of version (1), one byte of type, the secret. Of a key of a
 * pool: version 2, type, usage, the secret. The sealed store binds a record to the key's id; type and usage inside keep a
 * record from becoming a key of another curve, or for another use. Numbers are never used again for another meaning.
 */
const VERSION = 1;
const POOL_VERSION = 2;

const TYPES: Readonly<
  Record<HeldKeyType, { readonly number: number; readonly bytes: readonly [number, number] }>
> = {
  ed25519: { number: 1, bytes: [32, 32] },
  p256: { number: 2, bytes: [32, 32] },
  secp256k1: { number: 3, bytes: [32, 32] },
  p384: { number: 4, bytes: [48, 48] },
  'bls12-381': { number: 5, bytes: [32, 32] },
  // PrivateKeyInfo in DER (RFC 5958), as OpenSSL writes it.
  'rsa-2048': { number: 6, bytes: [1190, 1230] },
  'rsa-3072': { number: 7, bytes: [1760, 1810] },
  'rsa-4096': { number: 8, bytes: [2340, 2390] },
  'aes-256': { number: 9, bytes: [32, 32] },
  'hmac-224': { number: 10, bytes: [28, 28] },
  'hmac-256': { number: 11, bytes: [32, 32] },
  'hmac-384': { number: 12, bytes: [48, 48] },
  'hmac-512': { number: 13, bytes: [64, 64] },
};
const USAGES: Readonly<Record<KeyUsage, number>> = { sign: 1, encrypt: 2, mac: 3, agree: 4 };

/** What a serialised key is: without a usage, a key of the configuration. */
export interface SerialisedKind {
  readonly type: HeldKeyType;
  readonly poolUsage?: KeyUsage | undefined;
}

function headerOf({ type, poolUsage }: SerialisedKind): readonly number[] {
  const { number } = TYPES[type];
  return poolUsage === undefined ? [VERSION, number] : [POOL_VERSION, number, USAGES[poolUsage]];
}

/** Returns the length of a type's secret in bytes; of RSA the longest. */
export function secretBytesOf(type: HeldKeyType): number {
  return TYPES[type].bytes[1];
}

/** Serialises a secret; the caller clears the result. */
export function serialiseSecret(kind: SerialisedKind, secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = headerOf(kind);
  const bytes = new Uint8Array(header.length + secret.length);
  bytes.set(header);
  bytes.set(secret, header.length);
  return bytes;
}

/** Parses the serialised form and returns the secret as a view of `bytes`. @throws KeyError KEY_MALFORMED */
export function parseSerialisedSecret(kind: SerialisedKind, bytes: Uint8Array): Uint8Array {
  const header = headerOf(kind);
  const [least, most] = TYPES[kind.type].bytes;
  const length = bytes.length - header.length;
  if (length < least || length > most || header.some((byte, index) => bytes[index] !== byte)) {
    throw new KeyError('KEY_MALFORMED', `expected a serialised key of type ${kind.type}`, {
      length: bytes.length,
    });
  }
  return bytes.subarray(header.length);
}
