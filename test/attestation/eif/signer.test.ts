import { generateKeyPairSync, createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { p384 } from '@noble/curves/nist.js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  buildEif,
  createDigestSigner,
  createLocalSigner,
  createReplayingSigner,
  describeEif,
  EifError,
  type EifSigner,
  memorySource,
} from '../../../attestation/eif/index.ts';
import { createMemorySink } from './memory-sink.ts';
import { bytesOf, registerOf } from './raw-image.ts';
import { createTestSigner, NOT_AFTER, NOT_BEFORE, type TestSigner } from './signed-image.ts';

const AT = NOT_BEFORE;
const CURVES = ['P-256', 'P-384', 'P-521'] as const;
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const signers = new Map<string, TestSigner>();
let signer: TestSigner;

beforeAll(async () => {
  for (const curve of CURVES) signers.set(curve, await createTestSigner(curve));
  signer = await createTestSigner();
});

async function build(sign: EifSigner, application = 'application'): Promise<Uint8Array> {
  const sink = createMemorySink();
  const ramdisks = ['bootstrap', application].map((text) => memorySource(bytesOf(`\u001f${text}`)));
  await buildEif({ kernel: memorySource(bytesOf('a kernel')), cmdline: 'quiet', ramdisks, sign }, sink);
  return sink.bytes();
}

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'done';
  } catch (error) {
    return error instanceof EifError ? error.code : String(error);
  }
}

/** Signs as a KMS does: a digest, with a nonce of its own, in DER. */
const signElsewhere =
  (key: KeyObject, asked: unknown[] = []) =>
  async (digest: Uint8Array, algorithm: string): Promise<Uint8Array> => {
    asked.push(algorithm, digest.length);
    const { d } = key.export({ format: 'jwk' });
    const options = { prehash: false, lowS: false, extraEntropy: true, format: 'der' } as const;
    return p384.sign(digest, Buffer.from(d ?? '', 'base64url'), options);
  };

describe('a signer with a key in memory', () => {
  it.each(CURVES)('signs on %s, the same bytes every time', async (curve) => {
    const { key, certificate } = signers.get(curve) ?? signer;
    const [first, second] = [
      await build(createLocalSigner(key, certificate, AT)),
      await build(createLocalSigner(key, certificate, AT)),
    ];
    expect(hex(first)).toBe(hex(second));
    const { signature, measurements } = await describeEif(memorySource(first), { at: AT });
    expect(signature?.algorithm).toBe({ 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }[curve]);
    expect(hex(measurements.get(8))).toBe(registerOf(signature?.certificate.der ?? bytesOf('')));
  });

  it('takes private keys on the three NIST curves alone', async () => {
    const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
    for (const key of [ed25519, createPublicKey(signer.key)]) {
      expect(await codeOf(() => createLocalSigner(key, signer.certificate, AT))).toBe('EIF_SIGNING_KEY');
    }
  });

  it("refuses a key that is not the certificate's, on the same curve or another", async () => {
    for (const { key } of signers.values()) {
      expect(await codeOf(() => createLocalSigner(key, signer.certificate, AT))).toBe(
        'EIF_SIGNING_KEY_OTHER',
      );
    }
    const { privateKey: bitcoin } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    expect(await codeOf(() => createLocalSigner(bitcoin, signer.certificate, AT))).toBe(
      'EIF_SIGNING_KEY_OTHER',
    );
  });

  it('refuses a certificate that is not valid then, at both ends', async () => {
    const at = (time: number) => () => createLocalSigner(signer.key, signer.certificate, new Date(time));
    expect(await codeOf(at(NOT_BEFORE.getTime() - 1))).toBe('EIF_CERTIFICATE_TIME');
    expect(await codeOf(at(NOT_BEFORE.getTime()))).toBe('done');
    expect(await codeOf(at(NOT_AFTER.getTime()))).toBe('done');
    expect(await codeOf(at(NOT_AFTER.getTime() + 1))).toBe('EIF_CERTIFICATE_TIME');
  });
});

describe('a signer whose key is elsewhere', () => {
  const pair = () => ({ certificate: signer.certificate, publicKey: createPublicKey(signer.key), at: AT });

  it('has a digest signed, and the image is good', async () => {
    const asked: unknown[] = [];
    const image = await build(createDigestSigner(pair(), signElsewhere(signer.key, asked)));
    expect(asked).toEqual(['ES384', 48]);
    const { signature } = await describeEif(memorySource(image), { at: AT });
    expect(signature?.algorithm).toBe('ES384');
  });

  it('takes numbers of any length: leading zeros are put back', async () => {
    const sign = createDigestSigner(pair(), signElsewhere(signer.key));
    const lengths = new Set<number>();
    for (let count = 0; count < 64; count += 1) lengths.add((await sign.sign(bytesOf(`${count}`))).length);
    expect([...lengths]).toEqual([96]);
  });

  it('refuses a signature by another key, one in another form, and numbers beyond the curve', async () => {
    const stranger = signers.get('P-384') ?? signer;
    const long = Buffer.concat([Buffer.from('306802', 'hex'), Buffer.from([49]), Buffer.alloc(49, 1)]);
    const answers = {
      other: signElsewhere(stranger.key),
      long: async () => Buffer.concat([long, Buffer.from('020101', 'hex')]).fill(0x36, 1, 2),
      raw: async (digest: Uint8Array) => createHash('sha512').update(digest).digest(),
    };
    const codes: Record<string, string> = {};
    for (const [name, answer] of Object.entries(answers)) {
      codes[name] = await codeOf(() => build(createDigestSigner(pair(), answer)));
    }
    expect(Object.values(codes)).toEqual(Array(3).fill('EIF_SIGNATURE_INVALID'));
  });

  it('refuses a public key that is not the certificate’s before anything is signed', async () => {
    const publicKey = createPublicKey((signers.get('P-384') ?? signer).key);
    const asked: unknown[] = [];
    const make = () => createDigestSigner({ ...pair(), publicKey }, signElsewhere(signer.key, asked));
    expect(await codeOf(make)).toBe('EIF_SIGNING_KEY_OTHER');
    expect(asked).toEqual([]);
  });
});

describe('the signature of an image that was signed before', () => {
  it('gives the same bytes again, whoever made it', async () => {
    const publicKey = createPublicKey(signer.key);
    const sign = createDigestSigner(
      { certificate: signer.certificate, publicKey, at: AT },
      signElsewhere(signer.key),
    );
    const image = await build(sign);
    expect(hex(await build(sign))).not.toBe(hex(image));
    const { signature } = await describeEif(memorySource(image));
    expect(hex(await build(createReplayingSigner(signature?.section ?? bytesOf(''))))).toBe(hex(image));
  });

  it('fits no other image', async () => {
    const image = await build(createLocalSigner(signer.key, signer.certificate, AT));
    const { signature } = await describeEif(memorySource(image));
    const replay = createReplayingSigner(signature?.section ?? bytesOf(''));
    expect(await codeOf(() => build(replay, 'another'))).toBe('EIF_SIGNATURE_PAYLOAD');
  });

  it('has to be one', async () => {
    expect(await codeOf(() => createReplayingSigner(bytesOf('no signature')))).toBe('EIF_SIGNATURE_FORMAT');
  });
});
