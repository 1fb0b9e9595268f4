import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  ECDH,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { listImplementations } from './every-groups.ts';

/** Names of the curves in OpenSSL. */
const CURVES = { p256: 'prime256v1', secp256k1: 'secp256k1' } as const;
const COUNT = 20;

describe.each(listImplementations())('the groups of $name, beside OpenSSL,', ({ groups }) => {
  it.each(['p256', 'secp256k1'] as const)(
    '%s: find its public keys, and the x of its shared secrets',
    (name) => {
      const group = groups[name];
      const peer = createECDH(CURVES[name]);
      const peerElement = group.decode(peer.generateKeys(null, 'compressed'));
      expect(peerElement).toBeDefined();
      if (peerElement === undefined) return;
      for (let round = 0; round < COUNT; round += 1) {
        const own = createECDH(CURVES[name]);
        const publicKey = own.generateKeys(null, 'compressed');
        const scalar = own.getPrivateKey().toString('hex').padStart(64, '0');
        const secret = Uint8Array.from(Buffer.from(scalar, 'hex'));
        expect(Buffer.from(group.encode(group.multiplyBase(secret))), `scalar ${scalar}`).toEqual(publicKey);
        const product = group.encode(group.sumOfProducts([secret], [peerElement]));
        const shared = own.computeSecret(peer.getPublicKey(null, 'uncompressed'));
        expect(Buffer.from(product.subarray(1)), `scalar ${scalar}`).toEqual(shared);
        expect(ECDH.convertKey(product, CURVES[name]).length).toBe(65);
      }
    },
  );

  it('ed25519: find its public keys, and its signatures valid', () => {
    const { ed25519: group } = groups;
    for (let round = 0; round < COUNT; round += 1) {
      const { privateKey } = generateKeyPairSync('ed25519');
      const seed = rawKey(privateKey.export({ format: 'jwk' }).d);
      const publicKey = rawKey(createPublicKey(privateKey).export({ format: 'jwk' }).x);
      const secret = createHash('sha512').update(seed).digest().subarray(0, 32);
      secret[0] = (secret[0] ?? 0) & 248;
      secret[31] = ((secret[31] ?? 0) & 63) | 64;
      const element = group.multiplyBase(group.scalars.reduce(secret));
      expect(group.encode(element), `seed ${seed.toString('hex')}`).toEqual(Uint8Array.from(publicKey));

      // RFC 8032, 5.1.7: S·B = R + k·A
      const message = randomBytes(32);
      const signature = sign(
        null,
        message,
        createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
      );
      const commitment = group.decode(signature.subarray(0, 32));
      const k = group.scalars.reduce(
        createHash('sha512').update(signature.subarray(0, 32)).update(publicKey).update(message).digest(),
      );
      expect(commitment).toBeDefined();
      if (commitment === undefined) return;
      const right = group.add(commitment, group.sumOfProducts([k], [element]));
      expect(group.equals(group.multiplyBase(signature.subarray(32)), right)).toBe(true);
    }
  });
});

function rawKey(base64url: string | undefined): Buffer {
  return Buffer.from(base64url ?? '', 'base64url');
}
