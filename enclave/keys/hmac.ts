import { createHmac, timingSafeEqual } from 'node:crypto';
import { completeKey } from './complete-key.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

const HASHES = {
  'hmac-224': 'sha224',
  'hmac-256': 'sha256',
  'hmac-384': 'sha384',
  'hmac-512': 'sha512',
} as const;

/** Holds a key of HMAC (RFC 2104, FIPS 198-1) that is as long as the output of its hash. */
export function holdHmac(type: keyof typeof HASHES, bytes: Uint8Array) {
  const secret = holdSecret(bytes);
  const compute = (message: Uint8Array) => createHmac(HASHES[type], secret.use()).update(message).digest();
  return completeKey(
    {
      type,
      usage: 'mac' as const,
      publicKey: null,
      serialise: () => serialiseSecret({ type, poolUsage: 'mac' }, secret.use()),
      destroy: () => secret.destroy(),
    },
    {
      mac: (_algorithm, message) => new Uint8Array(compute(message)),
      verifyMac(_algorithm, message, mac) {
        const expected = compute(message);
        return mac.length === expected.length && timingSafeEqual(mac, expected);
      },
    },
  );
}
