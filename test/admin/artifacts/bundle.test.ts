import { describe, expect, it } from 'vitest';
import {
  parseReleaseKey,
  signBlobBundle,
  signEnvelopeBundle,
  verifyBlobBundle,
} from '../../../admin/artifacts/index.ts';
import { verifyEnvelopeBundle } from '../../../admin/artifacts/bundle.ts';
import { makeReleaseKey } from './sample-release.ts';

const own = makeReleaseKey();
const other = makeReleaseKey();
const blob = Buffer.from('an index');
const bundle = JSON.parse(Buffer.from(signBlobBundle(blob, own.privateKey)).toString()) as {
  mediaType: string;
  verificationMaterial: Record<string, unknown>;
  messageSignature: { messageDigest: { algorithm: string; digest: string }; signature: string };
};
const encode = (value: unknown) => Buffer.from(JSON.stringify(value));
const refusal = (value: unknown, content: Uint8Array = blob, key = own.key): string => {
  try {
    verifyBlobBundle(value instanceof Uint8Array ? value : encode(value), content, key);
    return 'TAKEN';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

describe('verifyBlobBundle', () => {
  it.each(['P-256', 'P-384'])('takes a signature by a key over %s', (curve) => {
    const key = makeReleaseKey(curve);
    expect(refusal(signBlobBundle(blob, key.privateKey), blob, key.key)).toBe('TAKEN');
  });

  it('takes a bundle without a hint, and one whose log entries nobody believes', () => {
    expect(refusal({ ...bundle, verificationMaterial: { publicKey: {} } })).toBe('TAKEN');
    expect(
      refusal({
        ...bundle,
        verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [{ logIndex: '1' }] },
      }),
    ).toBe('TAKEN');
  });

  it('refuses another key, with a hint and without', () => {
    expect(refusal(bundle, blob, other.key)).toBe('RELEASE_OTHER_KEY');
    expect(refusal({ ...bundle, verificationMaterial: { publicKey: {} } }, blob, other.key)).toBe(
      'RELEASE_SIGNATURE',
    );
    const lying = { ...bundle, verificationMaterial: { publicKey: { hint: other.key.hint } } };
    expect(refusal(lying, blob, other.key)).toBe('RELEASE_SIGNATURE');
  });

  it('refuses the bundle of another artifact, also with a digest that was put right', () => {
    expect(refusal(bundle, Buffer.from('another'))).toBe('RELEASE_OTHER_ARTIFACT');
    const foreign = JSON.parse(
      Buffer.from(signBlobBundle(Buffer.from('another'), own.privateKey)).toString(),
    ) as typeof bundle;
    const { messageDigest } = bundle.messageSignature;
    expect(refusal({ ...foreign, messageSignature: { ...foreign.messageSignature, messageDigest } })).toBe(
      'RELEASE_SIGNATURE',
    );
  });

  it.each([
    'application/vnd.dev.sigstore.bundle+json;version=0.1',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
    'application/vnd.dev.sigstore.bundle.v0.4+json',
    `${bundle.mediaType}; charset=utf-8`,
  ])('refuses the media type %s', (mediaType) => {
    expect(refusal({ ...bundle, mediaType })).toBe('RELEASE_BUNDLE_VERSION');
  });

  it('refuses an envelope, a certificate, and both kinds of content at once', () => {
    const envelope = JSON.parse(
      Buffer.from(signEnvelopeBundle('text/plain', blob, own.privateKey)).toString(),
    ) as object;
    expect(refusal(envelope)).toBe('RELEASE_BUNDLE_KIND');
    expect(refusal({ ...envelope, ...bundle })).toBe('RELEASE_BUNDLE_KIND');
    for (const material of ['certificate', 'x509CertificateChain']) {
      expect(refusal({ ...bundle, verificationMaterial: { [material]: {} } })).toBe('RELEASE_BUNDLE_KIND');
    }
  });

  it.each([
    null,
    [],
    'text',
    {},
    { mediaType: bundle.mediaType, verificationMaterial: null },
    { mediaType: 5 },
    { mediaType: bundle.mediaType },
    { ...bundle, extra: 1 },
  ])('refuses what is no bundle: %j', (value) => {
    expect(refusal(value)).toBe('RELEASE_BUNDLE_MALFORMED');
  });

  it('refuses every prefix, and a bundle above its maximum', () => {
    const whole = encode(bundle);
    for (let length = 0; length < whole.length; length += 7) {
      expect(refusal(whole.subarray(0, length))).toBe('RELEASE_BUNDLE_MALFORMED');
    }
    expect(refusal({ ...bundle, padding: ' '.repeat(1024 * 1024) })).toBe('RELEASE_BUNDLE_MALFORMED');
  });

  it('takes no bundle with a bit of its signature flipped', () => {
    const signature = Buffer.from(bundle.messageSignature.signature, 'base64');
    for (let bit = 0; bit < signature.length * 8; bit += 5) {
      const flipped = Buffer.from(signature);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const changed = { ...bundle.messageSignature, signature: flipped.toString('base64') };
      expect(refusal({ ...bundle, messageSignature: changed })).toBe('RELEASE_SIGNATURE');
    }
  });
});

describe('verifyEnvelopeBundle', () => {
  const signed = signEnvelopeBundle('application/vnd.in-toto+json', blob, own.privateKey);

  it('gives payload and type of an envelope that the key has signed', () => {
    const { payload, payloadType } = verifyEnvelopeBundle(signed, own.key, 4096);
    expect([Buffer.from(payload).toString(), payloadType]).toEqual([
      'an index',
      'application/vnd.in-toto+json',
    ]);
  });

  it('refuses a message signature, another payload, another type', () => {
    const open = (value: unknown) => () => verifyEnvelopeBundle(encode(value), own.key, 4096);
    const value = JSON.parse(Buffer.from(signed).toString()) as { dsseEnvelope: object };
    expect(open(bundle)).toThrow(expect.objectContaining({ code: 'RELEASE_BUNDLE_KIND' }));
    for (const change of [
      { payload: Buffer.from('other').toString('base64') },
      { payloadType: 'text/plain' },
    ]) {
      expect(open({ ...value, dsseEnvelope: { ...value.dsseEnvelope, ...change } })).toThrow(
        expect.objectContaining({ code: 'RELEASE_SIGNATURE' }),
      );
    }
  });
});

describe('parseReleaseKey', () => {
  it('refuses a private key, another algorithm, a curve that is not taken, and text', () => {
    const privatePem = own.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const ed25519 =
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n';
    for (const pem of [privatePem, ed25519, 'text', '', `${own.pem}${own.pem}`]) {
      expect(() => parseReleaseKey(pem)).toThrow(expect.objectContaining({ code: 'RELEASE_KEY_MALFORMED' }));
    }
    expect(() => makeReleaseKey('P-521')).toThrow(expect.objectContaining({ code: 'RELEASE_KEY_MALFORMED' }));
  });
});
