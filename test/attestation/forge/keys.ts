import { p384 } from '@noble/curves/nist.js';
import { sha384 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** P-384 key that only tests know, and that is the same in every run. */
export interface ForgeKey {
  readonly secret: Uint8Array;
  /** Uncompressed point, 97 bytes. */
  readonly point: Uint8Array;
}

const SEED = 'holdfast attestation vectors, version 1';
const keys = new Map<string, ForgeKey>();

/** Makes the key of a name. */
export function forgeKey(name: string): ForgeKey {
  let key = keys.get(name);
  if (key === undefined) {
    const secret = sha384(utf8ToBytes(`${SEED}: ${name}`));
    key = { secret, point: p384.getPublicKey(secret, false) };
    keys.set(name, key);
  }
  return key;
}

const signatures = new Map<string, Uint8Array>();

/** Signs with deterministic ECDSA (RFC 6979) and SHA-384; returns r ‖ s. */
export function sign(key: ForgeKey, message: Uint8Array): Uint8Array {
  const name = `${Buffer.from(key.secret).toString('hex')} ${Buffer.from(sha384(message)).toString('hex')}`;
  let signature = signatures.get(name);
  if (signature === undefined) {
    signature = p384.sign(message, key.secret, { lowS: false });
    signatures.set(name, signature);
  }
  return signature;
}
