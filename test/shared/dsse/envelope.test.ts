import { createHash, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createEnvelope,
  DsseError,
  ed25519PublicKeyHex,
  importEd25519,
  verifyEnvelope,
  parseEnvelope,
  signEnvelope,
} from '../../../shared/dsse/index.ts';
import { openEnvelope } from '../../../shared/dsse/portable.ts';

const TYPE = 'application/x-test';
const pairs = [0, 1, 2].map(() => generateKeyPairSync('ed25519'));
const keys = pairs.map(({ publicKey }) => ed25519PublicKeyHex(publicKey));
const payload = Buffer.from('{"version":1}');

function signedBy(...signers: KeyObject[]) {
  return signers.reduce((envelope, key) => signEnvelope(envelope, key), createEnvelope(TYPE, payload));
}
const privateKey = (index: number) => (pairs[index] as { privateKey: KeyObject }).privateKey;
const open = (envelope: ReturnType<typeof signedBy>, threshold: number, accepted = keys) =>
  verifyEnvelope(envelope, { payloadType: TYPE, keys: accepted, threshold });
const underSigned = expect.objectContaining({ code: 'DSSE_UNDER_SIGNED' });

describe('a DSSE envelope', () => {
  it('opens when as many authorities as asked for have signed', () => {
    const opened = open(signedBy(privateKey(0), privateKey(2)), 2);
    expect(Buffer.from(opened.payload)).toEqual(payload);
    expect(opened.signers).toEqual([keys[0], keys[2]]);
  });

  it('refuses one signature too few, none, and those of strangers', () => {
    expect(() => open(signedBy(privateKey(0)), 2)).toThrow(underSigned);
    expect(() => open(createEnvelope(TYPE, payload), 1)).toThrow(underSigned);
    expect(() => open(signedBy(generateKeyPairSync('ed25519').privateKey), 1)).toThrow(underSigned);
  });

  it('counts an authority once, however often it has signed', () => {
    const once = signedBy(privateKey(0));
    const twice = { ...once, signatures: [...once.signatures, ...once.signatures] };
    expect(() => open(twice, 2)).toThrow(underSigned);
  });

  it("refuses a signature under another authority's name", () => {
    const [signature] = signedBy(privateKey(0)).signatures;
    const forged = {
      ...createEnvelope(TYPE, payload),
      signatures: [{ keyid: keys[1] ?? '', sig: signature?.sig ?? '' }],
    };
    expect(() => open(forged, 1)).toThrow(underSigned);
  });

  it('refuses an altered payload and another payload type', () => {
    const signed = signedBy(privateKey(0));
    const altered = { ...signed, payload: Buffer.from('{"version":2}').toString('base64') };
    expect(() => open(altered, 1)).toThrow(underSigned);
    expect(() => verifyEnvelope(signed, { payloadType: 'application/x-other', keys, threshold: 1 })).toThrow(
      expect.objectContaining({ code: 'DSSE_MALFORMED' }),
    );
    expect(() => open({ ...signed, payloadType: 'application/x-tes' }, 1)).toThrow(DsseError);
  });

  it('is signed as the specification encodes it', () => {
    // PAE("http://example.com/HelloWorld", "hello world") of the DSSE protocol's own example.
    const envelope = signEnvelope(
      createEnvelope('http://example.com/HelloWorld', Buffer.from('hello world')),
      privateKey(0),
    );
    const pae = Buffer.from('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
    const { verify } = process.getBuiltinModule('node:crypto');
    const [signature] = envelope.signatures;
    expect(verify(null, pae, importEd25519(keys[0] ?? ''), Buffer.from(signature?.sig ?? '', 'base64'))).toBe(
      true,
    );
  });

  it('replaces the signature when an authority signs again', () => {
    expect(signedBy(privateKey(0), privateKey(0)).signatures).toHaveLength(1);
  });

  it('will not open with no authority or no threshold', () => {
    expect(() => open(signedBy(privateKey(0)), 0)).toThrow(RangeError);
    expect(() => open(signedBy(privateKey(0)), 1, [])).toThrow(RangeError);
  });

  it('takes base64 in its canonical form alone', () => {
    const envelope = signedBy(privateKey(0));
    const text = JSON.stringify(envelope);
    const { sig } = envelope.signatures[0] ?? { sig: '' };
    // 64 bytes leave four unused bits in the last character.
    const other = sig.replace(
      /(.)==$/,
      (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==`,
    );
    expect(Buffer.from(other, 'base64')).toEqual(Buffer.from(sig, 'base64'));
    expect(() => parseEnvelope(Buffer.from(text.replace(sig, other)))).toThrow(
      expect.objectContaining({ code: 'DSSE_MALFORMED' }),
    );
  });

  it('parses what it prints, and refuses whatever else', () => {
    const bytes = Buffer.from(JSON.stringify(signedBy(privateKey(1))));
    expect(open(parseEnvelope(bytes), 1).signers).toEqual([keys[1]]);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const altered = Buffer.from(bytes);
        altered[index] = (altered[index] ?? 0) ^ flip;
        expect(() => open(parseEnvelope(altered), 1)).toThrow(DsseError);
      }),
    );
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseEnvelope(bytes.subarray(0, length))).toThrow(DsseError);
    }
  });
});

describe('a signature over a digest', () => {
  const sign = (index: number, message: Uint8Array) => ({
    keyid: keys[index] ?? '',
    sig: signBytes(null, message, privateKey(index)).toString('base64'),
  });
  /** Written out by hand: what DSSE encodes of a type and 48 bytes. */
  const digestMessage = (type: string, bytes: Uint8Array) =>
    Buffer.concat([
      Buffer.from(`DSSEv1 ${type.length + 14} ${type};digest=sha384 48 `),
      createHash('sha384').update(bytes).digest(),
    ]);
  const envelopeOf = (...signatures: ReturnType<typeof sign>[]) => ({
    ...createEnvelope(TYPE, payload),
    signatures,
  });
  const verifiers = [
    (envelope: ReturnType<typeof envelopeOf>, threshold: number, digests?: boolean) =>
      verifyEnvelope(envelope, {
        payloadType: TYPE,
        keys,
        threshold,
        ...(digests === undefined ? {} : { digests }),
      }).payload,
    (envelope: ReturnType<typeof envelopeOf>, threshold: number, digests?: boolean) =>
      openEnvelope(Buffer.from(JSON.stringify(envelope)), {
        payloadType: TYPE,
        keys,
        threshold,
        ...(digests === undefined ? {} : { digests }),
      }),
  ];

  it.each(verifiers)('counts where it is asked for, beside one over the payload', (verifier) => {
    const byDigest = envelopeOf(sign(0, digestMessage(TYPE, payload)));
    expect(Buffer.from(verifier(byDigest, 1, true))).toEqual(payload);
    const mixed = envelopeOf(sign(0, digestMessage(TYPE, payload)), ...signedBy(privateKey(1)).signatures);
    expect(Buffer.from(verifier(mixed, 2, true))).toEqual(payload);
  });

  it.each(verifiers)(
    'counts nothing elsewhere, nor for another payload, type or key, nor twice',
    (verifier) => {
      const byDigest = sign(0, digestMessage(TYPE, payload));
      expect(() => verifier(envelopeOf(byDigest), 1)).toThrow(underSigned);
      expect(() => verifier(envelopeOf(byDigest), 1, false)).toThrow(underSigned);
      expect(() => verifier(envelopeOf({ ...byDigest, keyid: keys[1] ?? '' }), 1, true)).toThrow(underSigned);
      const others = [digestMessage('application/x-other', payload), digestMessage(TYPE, Buffer.from('{}'))];
      for (const message of others)
        expect(() => verifier(envelopeOf(sign(0, message)), 1, true)).toThrow(underSigned);
      const twice = envelopeOf(byDigest, ...signedBy(privateKey(0)).signatures);
      expect(() => verifier(twice, 2, true)).toThrow(underSigned);
    },
  );

  it('is none over a document whose type is that of a digest', () => {
    const type = `${TYPE};digest=sha384`;
    const digest = createHash('sha384').update(payload).digest();
    const posing = { ...createEnvelope(type, digest), signatures: [sign(0, digestMessage(TYPE, payload))] };
    expect(() => verifyEnvelope(posing, { payloadType: TYPE, keys, threshold: 1, digests: true })).toThrow(
      expect.objectContaining({ code: 'DSSE_MALFORMED' }),
    );
  });
});
