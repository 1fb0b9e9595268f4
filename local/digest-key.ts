import { constants, createPrivateKey, type KeyObject, privateEncrypt } from 'node:crypto';
import { ed25519OfDigest } from '../shared/signatures/ed25519ph.ts';
import { p384 } from '@noble/curves/nist.js';
import type { Curves } from '../enclave/keys/index.ts';
import { encodeNull, encodeOctetString, encodeOid, encodeSequence } from '../shared/asn1/index.ts';
import { signPssDigest } from './kms/model/rsa-pss.ts';

type DigestKey = ReturnType<Curves['holdDigestKey']>;

const HASH_OIDS: Readonly<Record<number, string>> = {
  32: '2.16.840.1.101.3.4.2.1',
  48: '2.16.840.1.101.3.4.2.2',
  64: '2.16.840.1.101.3.4.2.3',
};

/**
 * Holds a key that signs digests without the addon, for a machine without a C compiler: what node:crypto cannot sign is
 * encoded here, or is signed by noble, not in constant time. No image contains this file.
 */
export function holdDigestKeyInJavaScript(privateKeyInfo: Uint8Array): DigestKey {
  let key: KeyObject | undefined = createPrivateKey({
    key: Buffer.from(privateKeyInfo),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    signDigest(algorithm, digest) {
      if (key === undefined) throw new TypeError('expected a key in use, found one that was cleared');
      if (algorithm === 'ed25519ph') return ed25519OfDigest.sign(digest, scalarOf(key));
      if (algorithm === 'ecdsa-p384-sha384')
        return p384.sign(digest, scalarOf(key), { prehash: false, lowS: true });
      if (algorithm.startsWith('rsa-pss')) return signPssDigest(key, `sha${8 * digest.length}`, digest);
      return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, encodeDigestInfo(digest));
    },
    clear() {
      key = undefined;
    },
  };
}

/** DigestInfo of PKCS #1, RFC 8017 section 9.2. */
function encodeDigestInfo(digest: Uint8Array): Uint8Array {
  const algorithm = encodeSequence(encodeOid(HASH_OIDS[digest.length] ?? ''), encodeNull());
  return encodeSequence(algorithm, encodeOctetString(digest));
}

/** Private scalar of an elliptic curve key, or the seed of an Ed25519 key. */
function scalarOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'raw-private' }));
}
