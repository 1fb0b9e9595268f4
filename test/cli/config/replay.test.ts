import { describe, expect, it } from 'vitest';
import { createDecisionEntry, type DecisionPredicate, encodeEntry } from '../../../audit/receipt/index.ts';
import { encodeTransaction } from '../../../policy/transactions/json.ts';
import { SampleLog } from '../../audit/log/sample-log.ts';
import { DECISION, REQUEST_DIGEST } from '../../audit/receipt/samples.ts';
import { transaction } from '../../policy/sample-transactions.ts';
import { condition, ETHER, makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';
import { writeLog } from '../audit/node-log.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const decision = (sequence: number, changes: Partial<DecisionPredicate> = {}): DecisionPredicate => ({
  ...DECISION,
  sequence,
  time: new Date(Date.UTC(2026, 11, 2, 12, 0, sequence)).toISOString(),
  request: {
    client: 'backend',
    key: 'hot',
    algorithm: 'ecdsa-secp256k1',
    operation: 'sign',
    payload: 'ethereum-transaction',
  },
  transaction: encodeTransaction(transaction()),
  outcome: 'permitted',
  rule: 'transfers',
  code: null,
  pendingId: null,
  approvals: [],
  charges: [],
  ...changes,
});
const DENIED: Partial<DecisionPredicate> = {
  outcome: 'denied',
  code: 'POLICY_DENIED',
  rule: null,
  signatures: [],
};
const entries = (decisions: DecisionPredicate[]) =>
  decisions.map((each) => Buffer.from(encodeEntry(createDecisionEntry(REQUEST_DIGEST, each))));
const linesOf = (decisions: DecisionPredicate[]) =>
  entries(decisions)
    .map((entry, index) => `{"index":${index},"entry":${entry.toString()}}\n`)
    .join('');

async function replay(lines: string, changes: object = {}, ...args: string[]) {
  const folder = makeFolder();
  const log = folder.write('entries.jsonl', lines);
  const file = folder.write('new.json', JSON.stringify(makeConfiguration2(changes)));
  return await runHoldfast(['config', 'replay', log, '--configuration', file, '--json', ...args]);
}
const dataOf = ({ out }: { out: string }) => JSON.parse(out) as Record<string, unknown>;

describe('holdfast config replay', () => {
  it('counts no change where nothing changes', async () => {
    const lines = linesOf([
      decision(0),
      decision(1, { ...DENIED, request: { ...decision(1).request, key: 'cold' } }),
    ]);
    expect(dataOf(await replay(lines))).toMatchObject({ decisions: 2, changed: 0, unread: 0 });
  });

  it('counts what would be denied, permitted, or by another rule', async () => {
    const lines = linesOf([decision(0), decision(1, DENIED), decision(2, { rule: 'former' })]);
    expect(dataOf(await replay(lines))).toMatchObject({
      changed: 2,
      kinds: {
        'denied POLICY_DENIED -> permitted transfers': 1,
        'permitted former -> permitted transfers': 1,
      },
    });
    const small = { rules: [permit({ effects: [condition({ amount: { min: null, max: '4' } })] })] };
    expect(dataOf(await replay(lines, small))).toMatchObject({
      changed: 2,
      shown: [{ sequence: 0 }, { sequence: 2 }],
    });
  });

  it('counts what was spent, by the times of the entries', async () => {
    const limit = { id: 'day', asset: ETHER, max: '12', seconds: 3, per: 'key', fees: false } as const;
    const rules = [permit({ limits: [limit] })];
    const lines = linesOf(Array.from({ length: 5 }, (_, index) => decision(index)));
    // Two fit into 3 seconds; the fourth comes when the first is out again.
    expect(dataOf(await replay(lines, { rules }))).toMatchObject({
      kinds: { 'permitted transfers -> denied LIMIT_EXCEEDED': 1 },
      shown: [{ sequence: 2 }],
    });
  });

  it('decides nothing that no decoder could read', async () => {
    const lines = linesOf([decision(0, { ...DENIED, code: 'TRANSACTION_MALFORMED', transaction: null })]);
    expect(dataOf(await replay(lines))).toMatchObject({ decisions: 1, unread: 1, changed: 0 });
  });

  it('reads a folder of tiles, each entry proven', async () => {
    const folder = makeFolder();
    const log = new SampleLog();
    log.appendEntries(entries([decision(0), decision(1, DENIED)]));
    writeLog(log, folder.at('log'));
    const file = folder.write('new.json', JSON.stringify(makeConfiguration2()));
    const args = ['config', 'replay', folder.at('log'), '--configuration', file, '--json'];
    const trust = ['--origin', log.origin, '--key', log.vkey];
    expect(dataOf(await runHoldfast([...args, ...trust]))).toMatchObject({ decisions: 2, changed: 1 });
    expect((await runHoldfast(args)).exit).toBe(2);
  });

  it.each([
    '{}\n',
    'x\n',
    'null\n',
    '{"index":0,"entry":{}}\n',
    linesOf([decision(0)]).replace('backend', 'Backend'),
  ])('refuses a line that is no statement: %j', async (lines) => {
    expect(refusalIn(await replay(lines))).toMatchObject({ exit: 1, code: 'LOG_ENTRY_WRONG' });
  });

  it('refuses a line without an end', async () => {
    expect(refusalIn(await replay('x'.repeat(600_000)))).toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });
});
