import { describe, expect, it } from 'vitest';
import {
  createBootEntry,
  createCeremonyEntry,
  createDecisionEntry,
  createVoteEntry,
  type DecisionPredicate,
  encodeEntry,
  MAX_ENTRY_BYTES,
  parseEntry,
  ReceiptError,
} from '../../../audit/receipt/index.ts';
import { BOOT, CEREMONY, DECISION, DENIAL, REQUEST_DIGEST, TRANSCRIPT_DIGEST, VOTE } from './samples.ts';

const entryOf = (predicate: DecisionPredicate) => createDecisionEntry(REQUEST_DIGEST, predicate);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const malformed = expect.objectContaining({ code: 'ENTRY_MALFORMED' });
const refusalOf = (run: () => unknown): ReceiptError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ReceiptError) return error;
    throw error;
  }
  throw new Error('it was taken');
};

describe('an entry of the log', () => {
  it.each([
    ['a permission', entryOf(DECISION)],
    ['a permission of a child', entryOf({ ...DECISION, request: { ...DECISION.request, path: '0/5' } })],
    ['a denial', entryOf(DENIAL)],
    ['a vote', createVoteEntry(REQUEST_DIGEST, VOTE)],
    ['a boot', createBootEntry(BOOT)],
    ['a ceremony', createCeremonyEntry(TRANSCRIPT_DIGEST, CEREMONY)],
  ])('reads what was written of %s', (_, entry) => {
    const bytes = encodeEntry(entry);
    expect(parseEntry(bytes)).toEqual(entry);
    expect(text(bytes)).not.toContain('": ');
  });

  it('is an in-toto statement about the request', () => {
    expect(JSON.parse(text(encodeEntry(entryOf(DECISION))))).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'request', digest: { sha256: REQUEST_DIGEST } }],
      predicateType: 'https://holdfast.invalid/decision/v1',
    });
  });

  it('is about the transcript where a node is about to confirm it', () => {
    const written = text(encodeEntry(createCeremonyEntry(TRANSCRIPT_DIGEST, CEREMONY)));
    expect(JSON.parse(written)).toMatchObject({
      subject: [{ name: 'transcript', digest: { sha256: TRANSCRIPT_DIGEST } }],
      predicateType: 'https://holdfast.invalid/ceremony/v1',
    });
    for (const altered of [
      written.replace('"threshold":2', '"threshold":4'),
      written.replace('"threshold":2', '"threshold":1'),
      written.replace('"refresh"', '"sign"'),
      written.replace('"holders":[1,2,3]', '"holders":[1]'),
      written.replace(/"keys":\[.*?\]/, '"keys":[]'),
      written.replace('"epoch":2,', ''),
    ]) {
      expect(altered).not.toBe(written);
      expect(() => parseEntry(Buffer.from(altered))).toThrow(malformed);
    }
  });

  it('is about the manifest where a node starts', () => {
    expect(JSON.parse(text(encodeEntry(createBootEntry(BOOT))))).toMatchObject({
      subject: [{ name: 'manifest', digest: { sha384: BOOT.node.manifest } }],
    });
  });

  it('has the same bytes in whatever order its members come', () => {
    const backwards = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(backwards);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, member]) => [key, backwards(member)]),
      );
    };
    const entry = entryOf(DENIAL);
    const shuffled = backwards(entry) as typeof entry;
    expect(JSON.stringify(shuffled)).not.toBe(JSON.stringify(entry));
    expect(text(encodeEntry(shuffled))).toBe(text(encodeEntry(entry)));
  });

  it('has its members in the order of the specification', () => {
    const { predicate } = JSON.parse(text(encodeEntry(entryOf(DECISION)))) as { predicate: object };
    const order =
      'node session sequence time request transaction outcome code rule reasons needs pendingId approvals charges';
    expect(Object.keys(predicate).join(' ')).toBe(`${order} configuration failure signatures witnesses`);
  });

  const written = text(encodeEntry(entryOf(DECISION)));
  it.each([
    ['white space', written.replace('":', '": ')],
    ['a line break at the end', `${written}\n`],
    ['another order', written.replace(/("sequence":7),("time":"[^"]*")/, '$2,$1')],
    ['an escape that is not needed', written.replace('"backend"', String.raw`"\u0062ackend"`)],
    ['a number in another form', written.replace('"sequence":7', '"sequence":7.0')],
    ['a member twice', written.replace('"sequence":7', '"sequence":7,"sequence":7')],
    ['a member too many', written.replace('"sequence":7', '"sequence":7,"also":1')],
    ['a member of the statement too many', written.replace(/}$/, ',"also":1}')],
    ['another type of statement', written.replace('Statement/v1', 'Statement/v0.1')],
    ['another predicate', written.replace('decision/v1', 'decision/v2')],
    ['the predicate of a boot', written.replace('decision/v1', 'boot/v1')],
    ['two subjects', written.replace(/"subject":\[([^\]]*)\]/, '"subject":[$1,$1]')],
    ['a time without milliseconds', written.replace('17.123Z', '17Z')],
    ['a time that no clock shows', written.replace('-29T', '-31T')],
    ['an amount with a zero in front', written.replace('"1000000000"', '"01000000000"')],
    ['a negative amount', written.replace('"1000000000"', '"-1000000000"')],
    ['upper-case hex', written.replace('dddd', 'DDDD')],
    ['base64 with bits left over', written.replace('cw==', 'cx==')],
    ['an unknown effect', written.replace('"transfer"', '"gift"')],
    ['no effect', written.replace(/"effects":\[.*?\],"fee"/, '"effects":[],"fee"')],
  ])('is refused with %s', (_, altered) => {
    expect(altered).not.toBe(written);
    expect(() => parseEntry(Buffer.from(altered))).toThrow(malformed);
  });

  it.each([
    ['a code in a permission', { code: 'POLICY_DENIED' }, 'code'],
    ['a permission without a rule', { rule: null }, 'rule'],
    ['a denial without a code', { ...DENIAL, code: null }, 'code'],
    ['signatures of a denial', { ...DENIAL, signatures: DECISION.signatures }, 'signatures'],
    ['signatures of a failure', { failure: 'STORE_FULL' }, 'signatures'],
    ['a failure of a denial', { ...DENIAL, failure: 'STORE_FULL' }, 'failure'],
    ['a wait without an id', { outcome: 'pending', signatures: [], pendingId: null }, 'pendingId'],
    ['more witnesses wanted than named', { witnesses: { threshold: 3, of: 2 } }, 'witnesses'],
  ] as const)('is refused when it says %s', (_, change, field) => {
    const bytes = encodeEntry(entryOf({ ...DECISION, ...change } as DecisionPredicate));
    const refusal = refusalOf(() => parseEntry(bytes));
    expect(refusal).toMatchObject({ code: 'ENTRY_MALFORMED', details: { field: `predicate.${field}` } });
  });

  it('carries text that looks like an escape', () => {
    const words = String.raw`a path \ud83d\udfff`;
    const entry = entryOf({ ...DENIAL, reasons: [{ rule: null, condition: 'amount', words }] });
    expect(parseEntry(encodeEntry(entry))).toEqual(entry);
  });

  it('never carries half of a surrogate pair', () => {
    const words = '\ud83d';
    expect(() =>
      encodeEntry(entryOf({ ...DENIAL, reasons: [{ rule: null, condition: 'amount', words }] })),
    ).toThrow(malformed);
  });

  it('fits into 65,535 bytes, and not one more', () => {
    const { transaction } = DECISION;
    const filled = (length: number) => {
      if (transaction === null) throw new Error('the sample has a transaction');
      return entryOf({ ...DECISION, transaction: { ...transaction, details: { text: 'x'.repeat(length) } } });
    };
    const room = MAX_ENTRY_BYTES - encodeEntry(filled(0)).length;
    const largest = encodeEntry(filled(room));
    expect(largest).toHaveLength(65_535);
    expect(parseEntry(largest)).toEqual(filled(room));
    const tooLarge = expect.objectContaining({ code: 'ENTRY_TOO_LARGE', details: expect.anything() });
    expect(() => encodeEntry(filled(room + 1))).toThrow(tooLarge);
    expect(() => parseEntry(Buffer.concat([largest, Buffer.from(' ')]))).toThrow(tooLarge);
  });

  it('is refused at every length but its own', () => {
    const bytes = encodeEntry(createVoteEntry(REQUEST_DIGEST, VOTE));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusalOf(() => parseEntry(bytes.subarray(0, length))).code).toBe('ENTRY_MALFORMED');
    }
  });
});
