import { createHash } from 'node:crypto';
import { type ScalarField } from '../groups/group.ts';

/** Bytes of each element that hash_to_field expands to, for orders of 256 bits: RFC 9380, section 5.1 (L). */
const EXPANDED_BYTES = 48;
const SHA256_BYTES = 32;
const SHA256_BLOCK = 64;

export type HashName = 'sha256' | 'sha512';

/** Computes the hash of the concatenation of `parts`. */
export function hash(name: HashName, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const state = createHash(name);
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
}

/** Computes a scalar from SHA-512 of `tag` and `parts`, as the suites of RFC 9591, 6.1 and 6.2 do. */
export function reduceSha512(scalars: ScalarField, tag: Uint8Array, ...parts: readonly Uint8Array[]) {
  return scalars.reduce(hash('sha512', tag, ...parts));
}

/** Computes hash_to_field of RFC 9380, 5.2, for one scalar, by expand_message_xmd with SHA-256 and the tag `dst`. */
export function hashToField(scalars: ScalarField, dst: Uint8Array, ...parts: readonly Uint8Array[]) {
  const suffix = Uint8Array.of(...dst, dst.length);
  const first = hash(
    'sha256',
    new Uint8Array(SHA256_BLOCK),
    ...parts,
    Uint8Array.of(0, EXPANDED_BYTES, 0),
    suffix,
  );
  const one = hash('sha256', first, Uint8Array.of(1), suffix);
  const two = hash(
    'sha256',
    first.map((byte, index) => byte ^ (one[index] ?? 0)),
    Uint8Array.of(2),
    suffix,
  );
  const expanded = Uint8Array.of(...one, ...two.subarray(0, EXPANDED_BYTES - SHA256_BYTES));
  return scalars.reduce(expanded);
}
