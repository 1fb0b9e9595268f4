import blst from '@chainsafe/blst';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateKey, restoreKey } from '../../../enclave/keys/index.ts';
import { isBlsPublicKey, verifyBls, verifyBlsPossession } from '../../../shared/signatures/bls.ts';
import { listCurves } from './every-curves.ts';

const { curves } = listCurves().at(-1) ?? {};
if (curves === undefined) throw new TypeError('expected curves');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

// Of the signatures of Ethereum's consensus layer, which has the same suite: sign_case_84d45c9c7cca6b92 and its like.
const SECRET = '263dbd792f5b1be47ed85f8938c0f29586af0d3ac7b977f21c278fe1462040e3';
const PUBLIC_KEY =
  'a491d1b0ecd9bb917989f0e74f0dea0422eac4a873e5e2644f368dffb9a6e20fd6e10c1b77654d067c0618f6e5a7f79a';
const OVER_ZEROS =
  'b6ed936746e01f8ecf281f020953fbf1f01debd5657c4a383940b020b26507f6076334f91e2366c96e9ab279fb5158090352ea1c5b0c9274504f4f0e7053af24802e51e4568d164fe986834f41e55c8e850ce1f98458c0cfc9ab380b55285a55';
const INFINITY_G1 = `c0${'00'.repeat(47)}`;
const INFINITY_G2 = `c0${'00'.repeat(95)}`;

const signMessage = (key: ReturnType<typeof generateKey>, message: Uint8Array) =>
  key.sign({ algorithm: 'bls12-381-pop', payload: { kind: 'message', message } }).signature;

/** Points of the curve of G1 that are not in its subgroup: nearly every point is. */
function findOutsideSubgroup(): Uint8Array {
  for (let x = 1; ; x += 1) {
    const bytes = new Uint8Array(48);
    bytes[0] = 0x80;
    bytes[47] = x;
    try {
      const point = blst.PublicKey.fromBytes(bytes, false);
      try {
        point.keyValidate();
      } catch {
        return bytes;
      }
    } catch {
      // No point has this x.
    }
  }
}

describe('a key of BLS12-381', () => {
  it('signs 32 zeros as the consensus layer of Ethereum does', () => {
    const key = restoreKey(curves, 'bls12-381', unhex(`0105${SECRET}`));
    expect(hex(key.publicKey)).toBe(PUBLIC_KEY);
    expect(hex(signMessage(key, new Uint8Array(32)))).toBe(OVER_ZEROS);
  });

  it("makes blst's keys and signatures, which verify each way", () => {
    for (let round = 0; round < 5; round += 1) {
      const key = generateKey(curves, 'bls12-381');
      const secret = blst.SecretKey.fromBytes(key.serialise().subarray(2));
      const message = randomBytes(round * 33);
      const signature = signMessage(key, message);
      expect(hex(secret.toPublicKey().toBytes())).toBe(hex(key.publicKey));
      expect(hex(secret.sign(message).toBytes())).toBe(hex(signature));
      const theirs = blst.Signature.fromBytes(signature, true, true);
      expect(blst.verify(message, blst.PublicKey.fromBytes(key.publicKey, true), theirs)).toBe(true);
      expect(verifyBls(key.publicKey, message, secret.sign(message).toBytes())).toBe(true);
      expect(verifyBls(key.publicKey, Buffer.concat([message, Buffer.of(0)]), signature)).toBe(false);
    }
  });

  it('proves its possession, of itself alone, and no signature is such a proof', () => {
    const key = generateKey(curves, 'bls12-381');
    const prove = (message: Uint8Array) =>
      key.sign({
        algorithm: 'bls12-381-pop',
        payload: { kind: 'message', message, suite: 'proof-of-possession' },
      }).signature;
    const proof = prove(key.publicKey);
    expect(verifyBlsPossession(key.publicKey, proof)).toBe(true);
    expect(verifyBls(key.publicKey, key.publicKey, proof)).toBe(false);
    expect(verifyBlsPossession(key.publicKey, signMessage(key, key.publicKey))).toBe(false);
    expect(verifyBlsPossession(generateKey(curves, 'bls12-381').publicKey, proof)).toBe(false);
    expect(() => prove(generateKey(curves, 'bls12-381').publicKey)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_MISMATCH' }),
    );
  });

  it.each([0, 1])('is refused as a scalar that is zero or the order, and is made of that less %i', (less) => {
    const order = BigInt('0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001');
    const restore = (scalar: bigint) =>
      restoreKey(curves, 'bls12-381', unhex(`0105${scalar.toString(16).padStart(64, '0')}`));
    if (less === 1) expect(restore(order - 1n).publicKey.length).toBe(48);
    else
      for (const scalar of [0n, order, order + 1n, 2n ** 256n - 1n])
        expect(() => restore(scalar)).toThrow(expect.objectContaining({ code: 'KEY_MALFORMED' }));
  });

  it('does nothing after its end', () => {
    const key = generateKey(curves, 'bls12-381');
    key.destroy();
    for (const act of [() => signMessage(key, new Uint8Array(1)), () => key.serialise()])
      expect(act).toThrow(expect.objectContaining({ code: 'KEY_DESTROYED' }));
  });
});

describe('verification of BLS refuses', () => {
  const key = restoreKey(curves, 'bls12-381', unhex(`0105${SECRET}`));
  const message = new Uint8Array(32);
  const signature = unhex(OVER_ZEROS);

  it('public keys that are the identity, outside of the subgroup, off the curve, or written otherwise', () => {
    const outside = findOutsideSubgroup();
    const flipped = new Uint8Array(key.publicKey);
    flipped[0] = (flipped[0] ?? 0) & 0x7f;
    const noPoint = unhex(`9${'f'.repeat(95)}`);
    for (const bytes of [
      unhex(INFINITY_G1),
      outside,
      flipped,
      noPoint,
      key.publicKey.subarray(1),
      new Uint8Array(0),
    ]) {
      expect([hex(bytes), isBlsPublicKey(bytes), verifyBls(bytes, message, signature)]).toEqual([
        hex(bytes),
        false,
        false,
      ]);
    }
    expect(isBlsPublicKey(key.publicKey)).toBe(true);
  });

  it('the identity as signature, also of the identity as key', () => {
    expect(verifyBls(key.publicKey, message, unhex(INFINITY_G2))).toBe(false);
    expect(verifyBls(unhex(INFINITY_G1), message, unhex(INFINITY_G2))).toBe(false);
    expect(verifyBlsPossession(unhex(INFINITY_G1), unhex(INFINITY_G2))).toBe(false);
  });

  it('every signature with one bit changed, shortened or lengthened', () => {
    for (let bit = 0; bit < 8 * signature.length; bit += 37) {
      const altered = new Uint8Array(signature);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyBls(key.publicKey, message, altered)).toBe(false);
    }
    expect(verifyBls(key.publicKey, message, signature.subarray(0, 95))).toBe(false);
    expect(verifyBls(key.publicKey, message, Uint8Array.of(...signature, 0))).toBe(false);
  });
});
