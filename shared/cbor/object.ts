import { decodeCbor, type CborLimits } from './decode.ts';
import { CborError } from './errors.ts';
import type { CborObject, CborPlain, CborValue } from './value.ts';

/**
 * Decodes a map with text keys, and text keys in every map within, into objects without a prototype, for a zod schema
 * to check. `__proto__` is refused as a key: libraries that copy objects drop that member or set the
 * prototype by it.
 *
 * Byte strings are views of `bytes`, see {@link decodeCbor}.
 *
 * @throws CborError
 */
export function decodeCborObject(bytes: Uint8Array, limits: CborLimits): CborObject {
  const value = decodeCbor(bytes, limits);
  if (!(value instanceof Map))
    throw new CborError('CBOR_WRONG_TYPE', 'expected a map as the outermost item', { offset: 0 });
  return toObject(value);
}

/**
 * Turns every map of a decoded value into an object without a prototype.
 *
 * @throws CborError `CBOR_KEY_TYPE`, `CBOR_FORBIDDEN_KEY`
 */
export function toPlainCbor(value: CborValue): CborPlain {
  if (value instanceof Map) return toObject(value);
  if (Array.isArray(value)) return value.map(toPlainCbor);
  return value;
}

function toObject(map: ReadonlyMap<unknown, CborValue>): CborObject {
  const object: CborObject = { __proto__: null } satisfies { __proto__: null };
  for (const [key, value] of map) {
    if (typeof key !== 'string') throw new CborError('CBOR_KEY_TYPE', 'a key that is not text');
    if (key === '__proto__') throw new CborError('CBOR_FORBIDDEN_KEY', 'a key named __proto__');
    object[key] = toPlainCbor(value);
  }
  return object;
}
