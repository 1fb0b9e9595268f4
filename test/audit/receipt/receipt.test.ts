import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createDecisionEntry,
  createReceipt,
  encodeEntry,
  encodeReceiptPae,
  unsafeParseReceipt,
} from '../../../audit/receipt/index.ts';
import { ed25519PublicKeyHex, parseEnvelope, verifyEnvelope } from '../../../shared/dsse/index.ts';
import { DECISION, REQUEST_DIGEST } from './samples.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const key = ed25519PublicKeyHex(publicKey);
const entry = encodeEntry(createDecisionEntry(REQUEST_DIGEST, DECISION));
const signature = sign(null, encodeReceiptPae(entry), privateKey);
const receipt = createReceipt(entry, { publicKey: key, signature }, { proof: null });
const parse = (value: unknown) => unsafeParseReceipt(Buffer.from(JSON.stringify(value)));
const malformed = expect.objectContaining({ code: 'RECEIPT_MALFORMED' });

describe('a receipt', () => {
  it('is a DSSE envelope over the very bytes of the entry', () => {
    const envelope = parseEnvelope(Buffer.from(JSON.stringify(receipt.envelope)));
    const opened = verifyEnvelope(envelope, {
      payloadType: 'application/vnd.in-toto+json',
      keys: [key],
      threshold: 1,
    });
    expect(Buffer.from(opened.payload).equals(entry)).toBe(true);
  });

  it('signs what DSSE says', () => {
    const type = 'application/vnd.in-toto+json';
    const expected = Buffer.concat([Buffer.from(`DSSEv1 28 ${type} ${entry.length} `), entry]);
    expect(createHash('sha256').update(encodeReceiptPae(entry)).digest('hex')).toBe(
      createHash('sha256').update(expected).digest('hex'),
    );
  });

  it('reads what was written', () => {
    const parsed = parse(receipt);
    expect(parsed).toMatchObject({ proof: null, document: undefined, signer: { publicKey: key } });
    expect(Buffer.from(parsed.entry).equals(entry)).toBe(true);
    const whole = createReceipt(
      entry,
      { publicKey: key, signature },
      { proof: 'c2sp.org/tlog-proof@v1\n', document: Buffer.from('a document') },
    );
    expect(Object.keys(whole)).toEqual(['format', 'envelope', 'proof', 'document']);
    expect(parse(whole)).toMatchObject({ proof: 'c2sp.org/tlog-proof@v1\n' });
    expect(Buffer.from(parse(whole).document ?? []).toString()).toBe('a document');
  });

  it.each([
    ['no format', { ...receipt, format: undefined }],
    ['another format', { ...receipt, format: 'holdfast-receipt/2' }],
    ['a member too many', { ...receipt, also: 1 }],
    ['no proof and no null', { format: receipt.format, envelope: receipt.envelope }],
    ['a document of null', { ...receipt, document: null }],
    ['no signature', { ...receipt, envelope: { ...receipt.envelope, signatures: [] } }],
    [
      'two signatures',
      {
        ...receipt,
        envelope: {
          ...receipt.envelope,
          signatures: [...receipt.envelope.signatures, { keyid: key, sig: '' }],
        },
      },
    ],
    [
      'another payload type',
      { ...receipt, envelope: { ...receipt.envelope, payloadType: 'application/json' } },
    ],
    ['base64url', { ...receipt, envelope: { ...receipt.envelope, payload: '_-__' } }],
    ['a proof beyond its limit', { ...receipt, proof: 'x'.repeat(64 * 1024 + 1) }],
  ])('is refused with %s', (_, altered) => {
    expect(() => parse(altered)).toThrow(malformed);
  });

  it('is refused when it is no JSON, has a member twice, or is beyond its limit', () => {
    const text = JSON.stringify(receipt);
    for (const altered of [
      '',
      text.slice(0, -1),
      text.replace('"proof":null', '"proof":null,"proof":null'),
      text.padEnd(256 * 1024 + 1),
    ]) {
      expect(() => unsafeParseReceipt(Buffer.from(altered))).toThrow(malformed);
    }
  });
});
