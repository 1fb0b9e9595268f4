import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddonCase } from './addon-cases.ts';

const ALGORITHMS = {
  ec: ['ecdsa-p384-sha384'],
  ed25519: ['ed25519ph'],
  rsa: ['sha256', 'sha384', 'sha512'].flatMap((hash) => [`rsa-pss-${hash}`, `rsa-pkcs1-${hash}`]),
} as const;
const DIGEST_BYTES: Readonly<Record<string, number>> = { sha256: 32, sha384: 48, sha512: 64, ed25519ph: 64 };
const digestOf = (algorithm: string) =>
  new Uint8Array(DIGEST_BYTES[algorithm.split('-').at(-1) ?? ''] ?? 0).fill(5);
const infoOf = (key: KeyObject) => key.export({ format: 'der', type: 'pkcs8' });

const makeKeys = () => ({
  ec: infoOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
  ed25519: infoOf(generateKeyPairSync('ed25519').privateKey),
  rsa: infoOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
});

/** Cases of the addon with keys that sign digests; part of `addonCases`. */
export const digestKeyCases: readonly AddonCase[] = [
  {
    name: 'signs digests with the algorithms of a key, and with no other',
    run(native) {
      for (const [type, info] of Object.entries(makeKeys())) {
        const key = native.holdDigestKey(info);
        for (const [other, algorithms] of Object.entries(ALGORITHMS))
          for (const algorithm of algorithms) {
            const sign = (bytes: Uint8Array) => native.signDigest(key, algorithm, bytes);
            const digest = digestOf(algorithm);
            if (other !== type) assert.throws(() => sign(digest), TypeError);
            else {
              const expected = { ec: 96, ed25519: 64, rsa: 256 }[type];
              assert.equal(sign(digest).length, expected);
              for (const wrong of [digest.subarray(1), new Uint8Array(0), new Uint8Array(65)])
                assert.throws(() => sign(wrong), TypeError);
            }
          }
        for (const algorithm of ['', 'rsa', 'ed25519', 'x'.repeat(31), 'x'.repeat(40)])
          assert.throws(() => native.signDigest(key, algorithm, digestOf('sha256')), TypeError);
        native.clearDigestKey(key);
      }
    },
  },
  {
    name: 'takes no PrivateKeyInfo that is cut, too long, of another kind, or anything else',
    run(native) {
      const hold = (info: unknown) => native.holdDigestKey(info as Uint8Array);
      for (const info of Object.values(makeKeys())) {
        for (let length = 0; length < info.length; length += Math.ceil(info.length / 40))
          assert.throws(() => hold(info.subarray(0, length)), RangeError);
        assert.throws(() => hold(Buffer.concat([info, Buffer.of(0)])), RangeError);
      }
      const others = [
        generateKeyPairSync('ec', { namedCurve: 'P-256' }),
        generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
        generateKeyPairSync('x25519'),
        generateKeyPairSync('rsa-pss', { modulusLength: 1024 }),
      ];
      for (const { privateKey } of others) assert.throws(() => hold(infoOf(privateKey)), RangeError);
      for (const bytes of [new Uint8Array(0), new Uint8Array(2561), new Uint8Array(100).fill(0x30)])
        assert.throws(() => hold(bytes), RangeError);
      for (const value of [undefined, null, 'x', new Uint16Array(4), {}])
        assert.throws(() => hold(value), TypeError);
    },
  },
  {
    name: 'signs with no digest key that was cleared, nor with a handle of another kind',
    run(native) {
      const { ec, rsa } = makeKeys();
      const key = native.holdDigestKey(ec);
      native.clearDigestKey(key);
      native.clearDigestKey(key);
      const sign = (handle: unknown) => () =>
        native.signDigest(handle as typeof key, 'ecdsa-p384-sha384', digestOf('sha384'));
      const ofCurves = native.holdP256(new Uint8Array(32).fill(7));
      for (const handle of [key, {}, null, ofCurves, ec]) assert.throws(sign(handle), TypeError);
      assert.throws(() => native.clearDigestKey({} as typeof key), TypeError);
      assert.throws(() => native.publicKey(native.holdDigestKey(rsa) as never), TypeError);
    },
  },
  {
    name: 'holds, uses and frees hundreds of digest keys, cleared or collected',
    async run(native) {
      const keys = Object.entries(makeKeys());
      for (let round = 0; round < 300; round += 1) {
        const [type, info] = keys[round % keys.length] ?? ['ec', new Uint8Array(0)];
        const key = native.holdDigestKey(info);
        const [algorithm] = ALGORITHMS[type as keyof typeof ALGORITHMS];
        native.signDigest(key, algorithm ?? '', digestOf(algorithm ?? ''));
        if (round % 2 === 0) native.clearDigestKey(key);
      }
      for (let turn = 0; turn < 3; turn += 1) {
        (globalThis as { gc?: () => void }).gc?.();
        await sleep(10);
      }
    },
  },
];
