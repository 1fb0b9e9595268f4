import { KeyError } from './errors.ts';
import { SOLE_KEY_TYPES, type SoleKeyType } from './held-key.ts';
import { SECRET_BYTES } from './secret.ts';

/*
 * The serialised form: one byte of version, one byte of type, the 32 bytes of the secret. The sealed store binds a
 * record to the key's id; the type inside keeps a record from becoming a key of another curve.
 */
const VERSION = 1;
const LENGTH = 2 + SECRET_BYTES;

/** Serialises a secret; the caller clears the result. */
export function serialiseSecret(type: SoleKeyType, secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LENGTH);
  bytes[0] = VERSION;
  bytes[1] = SOLE_KEY_TYPES.indexOf(type) + 1;
  bytes.set(secret, 2);
  return bytes;
}

/** Parses the serialised form and returns the secret as a view of `bytes`. @throws KeyError KEY_MALFORMED */
export function parseSerialisedSecret(type: SoleKeyType, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== LENGTH || bytes[0] !== VERSION || bytes[1] !== SOLE_KEY_TYPES.indexOf(type) + 1) {
    throw new KeyError('KEY_MALFORMED', `expected a serialised key of type ${type}`, {
      length: bytes.length,
    });
  }
  return bytes.subarray(2);
}
