import { KeyError } from './errors.ts';
import { SOLE_KEY_TYPES, type SoleKeyType } from './held-key.ts';
import { SECRET_BYTES } from './secret.ts';

/*
 * One byte of version, one byte of type, the 32 bytes of the secret. The sealed store binds the bytes to the key's
 * name; the type stands inside as well, so that a record never becomes a key of another curve.
 */
const VERSION = 1;
const LENGTH = 2 + SECRET_BYTES;

export function serialiseSecret(type: SoleKeyType, secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LENGTH);
  bytes[0] = VERSION;
  bytes[1] = SOLE_KEY_TYPES.indexOf(type) + 1;
  bytes.set(secret, 2);
  return bytes;
}

/** The secret inside, as a view on `bytes`. @throws KeyError KEY_MALFORMED */
export function parseSerialisedSecret(type: SoleKeyType, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== LENGTH || bytes[0] !== VERSION || bytes[1] !== SOLE_KEY_TYPES.indexOf(type) + 1) {
    throw new KeyError('KEY_MALFORMED', 'not a serialised key of this type', { type, length: bytes.length });
  }
  return bytes.subarray(2);
}
