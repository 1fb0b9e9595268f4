import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compareGateRecord, openGateRecord } from '../../audit/index.ts';
import { GATE_RECORD_TYPE } from '../../attestation/key-policy/index.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../shared/dsse/index.ts';

const digest = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const [root, document] = [Buffer.from('a root'), Buffer.from('a document')];
const policy = '{"Version":"2012-10-17","Statement":[]}';
const record = {
  format: 'holdfast-key-policy-decision/1',
  decidedAt: '2026-11-01T00:00:00.000Z',
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1',
  policySha256: digest(policy),
  replacesSha256: null,
  document: {
    sha256: digest(document),
    root: { name: 'another root', sha256: digest(root), isAws: false },
    moduleId: 'i-0123-enc0123',
    signedAt: '2026-11-01T00:00:00.000Z',
    nonce: '00'.repeat(16),
    pcrs: { PCR0: '11'.repeat(48) },
  },
  findings: [],
};
const [admin, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
const [adminKey, otherKey] = [admin, other].map(({ publicKey }) => ed25519PublicKeyHex(publicKey)) as [
  string,
  string,
];
const sign = (content: unknown, type = GATE_RECORD_TYPE) =>
  Buffer.from(
    JSON.stringify(
      signEnvelope(createEnvelope(type, Buffer.from(JSON.stringify(content))), admin.privateKey),
    ),
  );
const withCode = (code: string, field?: string) =>
  expect.objectContaining(
    field === undefined ? { code } : { code, details: expect.objectContaining({ field }) },
  );

describe('the signed record of a decision', () => {
  it('opens for the admin who signed it, with members that a later version adds', () => {
    const opened = openGateRecord(sign({ ...record, note: 'kept' }), [adminKey]);
    expect(opened).toEqual({ ...record, note: 'kept' });
    expect(compareGateRecord(opened, { root, policy, document })).toEqual(['root', 'policy', 'document']);
  });

  it('opens for nobody else, and not for two when one has signed', () => {
    for (const keys of [[otherKey], [adminKey, otherKey]]) {
      expect(() => openGateRecord(sign(record), keys)).toThrow(withCode('DSSE_UNDER_SIGNED'));
    }
  });

  it('does not open without anybody who must have signed', () => {
    expect(() => openGateRecord(sign(record), [])).toThrow(RangeError);
  });

  it.each([
    ['format', { ...record, format: 'holdfast-key-policy-decision/2' }],
    ['policySha256', { ...record, policySha256: 'AB' }],
    ['document.root', { ...record, document: { ...record.document, root: undefined } }],
    ['', 'no record'],
  ])('is refused when its %s is not one of a record', (field, content) => {
    expect(() => openGateRecord(sign(content), [adminKey])).toThrow(withCode('RECORD_MALFORMED', field));
  });

  it.each([
    ['document.root.sha256', { root: document }],
    ['policySha256', { root, policy: `${policy} ` }],
    ['document.sha256', { root, document: root }],
  ])('is refused for another %s', (field, subject) => {
    expect(() => compareGateRecord(openGateRecord(sign(record), [adminKey]), subject)).toThrow(
      withCode('RECORD_MISMATCH', field),
    );
  });
});
