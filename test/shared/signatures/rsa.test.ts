import { constants, createPublicKey, generateKeyPairSync, hash, privateEncrypt, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySignature } from '../../../shared/signatures/verification.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const spki = publicKey.export({ format: 'der', type: 'spki' });
const message = Buffer.from('a message');
const digest = hash('sha256', message, 'buffer');
const verifies = (
  algorithm: 'rsa-pss-sha256' | 'rsa-pkcs1-sha256',
  signature: Uint8Array,
  key: Uint8Array = spki,
) => verifySignature(algorithm, key, { kind: 'message', bytes: message }, signature);

/** Signs an encoded message as it stands: what a signer who is not honest can make. */
const signEncoded = (encoded: Uint8Array) =>
  privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
const INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const encode = ({
  padding = 256 - 3 - INFO.length - 32,
  info = INFO,
  after = Buffer.alloc(0),
  type = 1,
} = {}) =>
  Buffer.concat([Buffer.of(0, type), Buffer.alloc(padding, 0xff), Buffer.of(0), info, digest, after]);

describe('RSASSA-PKCS1-v1_5', () => {
  it('verifies what OpenSSL signs, and the encoding made by hand', () => {
    expect(verifies('rsa-pkcs1-sha256', sign('sha256', message, privateKey))).toBe(true);
    expect(verifies('rsa-pkcs1-sha256', signEncoded(encode()))).toBe(true);
  });

  it('takes no encoding with less padding and garbage behind, another type of block, or DigestInfo without NULL', () => {
    const garbage = Buffer.alloc(100, 7);
    const withoutNull = Buffer.from('302f300b06096086480165030402010420', 'hex');
    const encodings = [
      encode({ padding: 256 - 3 - INFO.length - 32 - 100, after: garbage }),
      encode({ padding: 8, after: Buffer.alloc(256 - 3 - INFO.length - 32 - 8) }),
      encode({ type: 2 }),
      encode({ type: 0 }),
      encode({ padding: 256 - 3 - withoutNull.length - 32, info: withoutNull }),
      Buffer.concat([Buffer.alloc(224), digest]),
    ];
    for (const encoded of encodings) expect(verifies('rsa-pkcs1-sha256', signEncoded(encoded))).toBe(false);
  });
});

describe('RSASSA-PSS', () => {
  const pss = (saltLength: number, algorithm = 'sha256') =>
    sign(algorithm, message, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

  it('verifies a salt as long as the hash, and no other', () => {
    for (const length of [0, 20, 31, 32, 33, 64, 222])
      expect(verifies('rsa-pss-sha256', pss(length))).toBe(length === 32);
  });

  it('takes no signature of another padding or hash', () => {
    expect(verifies('rsa-pss-sha256', sign('sha256', message, privateKey))).toBe(false);
    expect(verifies('rsa-pss-sha256', pss(32, 'sha512'))).toBe(false);
    expect(verifies('rsa-pkcs1-sha256', pss(32))).toBe(false);
  });
});

describe('RSA signatures', () => {
  const signature = sign('sha256', message, privateKey);

  it('are below the modulus: one that is greater by it is refused', () => {
    const { n = '' } = publicKey.export({ format: 'jwk' });
    const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);
    const greater = BigInt(`0x${signature.toString('hex')}`) + modulus;
    const hex = greater.toString(16);
    // Where the sum has more bytes than the modulus its length alone refuses it.
    expect(
      verifies('rsa-pkcs1-sha256', Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')),
    ).toBe(false);
  });

  it('verify under no key that is too short, has another exponent, or is no RSA key', () => {
    const others = [
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
    ];
    for (const pair of others) {
      const key = pair.publicKey.export({ format: 'der', type: 'spki' });
      const made = sign('sha256', message, pair.privateKey);
      expect(verifies('rsa-pkcs1-sha256', made, key)).toBe(false);
    }
    const ed25519 = createPublicKey(generateKeyPairSync('ed25519').privateKey).export({
      format: 'der',
      type: 'spki',
    });
    for (const key of [ed25519, new Uint8Array(0), spki.subarray(1)])
      expect(verifies('rsa-pkcs1-sha256', signature, key)).toBe(false);
  });
});
