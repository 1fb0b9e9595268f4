import { generateKeyPairSync, type KeyObject } from 'node:crypto';
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
