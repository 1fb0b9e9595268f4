import { createPublicKey, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { p256 } from '@noble/curves/nist.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Algorithm, ALGORITHMS, describeAlgorithm } from '../../../shared/algorithms.ts';
import { listCleared } from '../../support/clearing.ts';
import { listCurves } from './every-curves.ts';
import {
  generateKey as generateKeyWith,
  type HeldKey,
  restoreKey as restoreKeyWith,
  type SoleKeyType,
} from '../../../enclave/keys/index.ts';
import type { SigningInput } from '../../../policy/transactions/index.ts';
import { SignerError } from '../../../enclave/signer/index.ts';

const TYPES = ['ed25519', 'p256', 'secp256k1'] as const satisfies readonly SoleKeyType[];
const digest = new Uint8Array(32).fill(7);
const PAYLOADS: readonly SigningInput[] = [
  { kind: 'message', message: Buffer.from('a transfer') },
  { kind: 'digest', digest },
  { kind: 'taproot-sighash', digest, merkleRoot: new Uint8Array(0) },
];

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(SignerError);
    return (error as SignerError<string>).code;
  }
  return 'none';
}

const hasDigestLength = (bytes: number, payload: SigningInput) =>
  payload.kind !== 'digest' || payload.digest.length === bytes;
const messages = () => fc.uint8Array({ maxLength: 300 });
const digests = () => fc.uint8Array({ minLength: 32, maxLength: 32 });

describe.each(listCurves())('by $name,', ({ name, curves }) => {
  const generateKey = (type: SoleKeyType) => generateKeyWith(curves, type);
  const restoreKey = (type: SoleKeyType, bytes: Uint8Array) => restoreKeyWith(curves, type, bytes);

  describe('a generated key', () => {
    it('makes Ed25519 signatures that node:crypto verifies', () => {
      const key = generateKey('ed25519');
      const publicKey = createPublicKey({
        key: Buffer.from(key.publicKey),
        format: 'raw-public',
        asymmetricKeyType: 'ed25519',
      });
      fc.assert(
        fc.property(messages(), (message) => {
          const { signature } = key.sign({ algorithm: 'ed25519', payload: { kind: 'message', message } });
          expect(signature.length).toBe(64);
          expect(verify(null, message, publicKey, signature)).toBe(true);
        }),
      );
    });

    it('makes low-S P-256 signatures over messages that node:crypto verifies', () => {
      const key = generateKey('p256');
      const publicKey = createPublicKey({
        key: Buffer.from(key.publicKey),
        format: 'raw-public',
        asymmetricKeyType: 'ec',
        namedCurve: 'P-256',
      });
      fc.assert(
        fc.property(messages(), (message) => {
          const payload = { kind: 'message', message } as const;
          const { signature } = key.sign({ algorithm: 'ecdsa-p256-sha256', payload });
          expect(
            !p256.Signature.fromBytes(signature).hasHighS() &&
              verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature),
          ).toBe(true);
        }),
      );
    });

    it('makes low-S P-256 signatures over digests that noble verifies', () => {
      const key = generateKey('p256');
      fc.assert(
        fc.property(digests(), (digest) => {
          const { signature } = key.sign({
            algorithm: 'ecdsa-p256-sha256',
            payload: { kind: 'digest', digest },
          });
          expect(p256.verify(signature, digest, key.publicKey, { prehash: false, lowS: true })).toBe(true);
        }),
        { numRuns: 30 },
      );
    });

    it('makes secp256k1 signatures from which its public key is recovered', () => {
      const key = generateKey('secp256k1');
      fc.assert(
        fc.property(digests(), (digest) => {
          const payload = { kind: 'digest', digest } as const;
          const { signature, recovery } = key.sign({ algorithm: 'ecdsa-secp256k1', payload });
          const recovered = secp256k1.recoverPublicKey(Uint8Array.of(recovery ?? 9, ...signature), digest, {
            prehash: false,
          });
          expect(
            Buffer.from(recovered).equals(key.publicKey) &&
              secp256k1.verify(signature, digest, key.publicKey, { prehash: false, lowS: true }),
          ).toBe(true);
        }),
        { numRuns: 30 },
      );
    });

    it('hashes a message with SHA-256 for secp256k1', () => {
      const key = generateKey('secp256k1');
      const message = Buffer.from('a message');
      const payload = { kind: 'message', message } as const;
      const { signature } = key.sign({ algorithm: 'ecdsa-secp256k1', payload });
      expect(secp256k1.verify(signature, message, key.publicKey, { prehash: true })).toBe(true);
    });

    it('makes BIP-340 signatures under the key it names, tweaked or not', () => {
      const key = generateKey('secp256k1');
      fc.assert(
        fc.property(digests(), fc.option(digests(), { nil: new Uint8Array(0) }), (digest, merkleRoot) => {
          const plain = key.sign({ algorithm: 'bip340', payload: { kind: 'digest', digest } });
          const tweaked = key.sign({
            algorithm: 'bip340',
            payload: { kind: 'taproot-sighash', digest, merkleRoot },
          });
          expect(
            Buffer.from(plain.publicKey).equals(key.publicKey.subarray(1)) &&
              !Buffer.from(tweaked.publicKey).equals(plain.publicKey) &&
              schnorr.verify(plain.signature, digest, plain.publicKey) &&
              schnorr.verify(tweaked.signature, digest, tweaked.publicKey),
          ).toBe(true);
        }),
        { numRuns: 15 },
      );
    });

    it('is never made twice', () => {
      for (const type of TYPES) {
        expect(Buffer.from(generateKey(type).publicKey).equals(generateKey(type).publicKey)).toBe(false);
      }
    });
  });

  describe('a key refuses', () => {
    const cases = TYPES.flatMap((type) =>
      ALGORITHMS.flatMap((algorithm) => PAYLOADS.map((payload) => ({ type, algorithm, payload }))),
    );
    it.each(cases)('or takes $algorithm over a $payload.kind with $type, as the table says', (row) => {
      const rules = describeAlgorithm(row.algorithm);
      const expected =
        !rules.keys.includes(row.type) || rules.usage !== 'sign'
          ? 'ALGORITHM_MISMATCH'
          : rules.payloads.includes(row.payload.kind) && hasDigestLength(rules.digestBytes, row.payload)
            ? 'none'
            : 'PAYLOAD_MISMATCH';
      const key = generateKey(row.type);
      expect(codeOf(() => key.sign({ algorithm: row.algorithm, payload: row.payload }))).toBe(expected);
    });

    it.each([0, 31, 33, 64])('a digest of %i bytes', (length) => {
      const payload = { kind: 'digest', digest: new Uint8Array(length) } as const;
      for (const algorithm of ['ecdsa-secp256k1', 'bip340'] as const) {
        expect(codeOf(() => generateKey('secp256k1').sign({ algorithm, payload }))).toBe('PAYLOAD_MISMATCH');
      }
      expect(codeOf(() => generateKey('p256').sign({ algorithm: 'ecdsa-p256-sha256', payload }))).toBe(
        'PAYLOAD_MISMATCH',
      );
    });

    it.each([1, 31, 33])('a merkle root of %i bytes', (length) => {
      const payload = { kind: 'taproot-sighash', digest, merkleRoot: new Uint8Array(length) } as const;
      expect(codeOf(() => generateKey('secp256k1').sign({ algorithm: 'bip340', payload }))).toBe(
        'PAYLOAD_MISMATCH',
      );
    });
  });

  function signOnce(key: HeldKey): unknown {
    const algorithms: Partial<Record<HeldKey['type'], Algorithm>> = {
      ed25519: 'ed25519',
      p256: 'ecdsa-p256-sha256',
      secp256k1: 'ecdsa-secp256k1',
    };
    const algorithm = algorithms[key.type];
    if (algorithm === undefined) throw new TypeError(`expected a key that signs messages, found ${key.type}`);
    return key.sign({
      algorithm,
      payload: { kind: 'message', message: new Uint8Array(3) },
    });
  }

  describe('a serialised key', () => {
    it.each(TYPES)('of type %s comes back as the same key', (type) => {
      const key = generateKey(type);
      const bytes = key.serialise();
      const restored = restoreKey(type, bytes);
      bytes.fill(0);
      expect(Buffer.from(restored.publicKey).equals(key.publicKey)).toBe(true);
      expect(signOnce(restored)).toMatchObject({ publicKey: key.publicKey });
      expect(Buffer.from(restored.serialise()).equals(key.serialise())).toBe(true);
    });

    it.each(TYPES)(
      'of type %s is refused as another type, shortened, lengthened or of another version',
      (type) => {
        const bytes = generateKey(type).serialise();
        for (const other of TYPES.filter((candidate) => candidate !== type)) {
          expect(codeOf(() => restoreKey(other, bytes))).toBe('KEY_MALFORMED');
        }
        for (let length = 0; length < bytes.length; length += 1) {
          expect(codeOf(() => restoreKey(type, bytes.subarray(0, length)))).toBe('KEY_MALFORMED');
        }
        expect(codeOf(() => restoreKey(type, Uint8Array.of(...bytes, 0)))).toBe('KEY_MALFORMED');
        expect(codeOf(() => restoreKey(type, Uint8Array.of(2, ...bytes.subarray(1))))).toBe('KEY_MALFORMED');
      },
    );

    it.each(['p256', 'secp256k1'] as const)('of type %s with a scalar out of range is refused', (type) => {
      const header = generateKey(type).serialise().subarray(0, 2);
      for (const fill of [0, 0xff]) {
        const scalar = new Uint8Array(32).fill(fill);
        expect(codeOf(() => restoreKey(type, Uint8Array.of(...header, ...scalar)))).toBe('KEY_MALFORMED');
      }
    });
  });

  describe('the secret', () => {
    it.each(TYPES)('of a destroyed %s key is gone', (type) => {
      const key = generateKey(type);
      key.destroy();
      expect(codeOf(() => signOnce(key))).toBe('KEY_DESTROYED');
      expect(codeOf(() => key.serialise())).toBe('KEY_DESTROYED');
    });

    it.each(TYPES)('of a %s key is cleared when it is destroyed', (type) => {
      const key = generateKey(type);
      const secret = Buffer.from(key.serialise().subarray(2)).toString('hex');
      // What the addon overwrites, JavaScript cannot see; test/native/addon-cases.ts looks at the memory.
      expect(listCleared(() => key.destroy()).includes(secret)).toBe(name === 'noble' || type === 'ed25519');
    });

    it.each(TYPES)('of a new %s key is cleared where it was made', (type) => {
      let secret = '';
      const cleared = listCleared(() => {
        secret = Buffer.from(generateKey(type).serialise().subarray(2)).toString('hex');
      });
      expect(cleared).toContain(secret);
    });

    it.each(['p256', 'secp256k1'] as const)(
      'of a %s key is cleared where it passed on its way into the store',
      (type) => {
        const key = generateKey(type);
        let secret = '';
        const cleared = listCleared(() => {
          secret = Buffer.from(key.serialise().subarray(2)).toString('hex');
        });
        expect(cleared).toContain(secret);
      },
    );

    it.each(TYPES)('of a %s key stands in no inspection, JSON or error of it', (type) => {
      const key = generateKey(type);
      const secret = Buffer.from(key.serialise().subarray(2));
      const shown = [
        inspect(key, { depth: 9, showHidden: true }),
        JSON.stringify(key),
        codeOf(() => key.sign({ algorithm: 'frost-ed25519', payload: { kind: 'message', message: secret } })),
      ].join();
      for (const form of [secret.toString('hex'), secret.toString('base64'), inspect(secret).slice(8, 40)]) {
        expect(shown).not.toContain(form);
      }
    });
  });
});
