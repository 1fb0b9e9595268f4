import { describe, expect, it } from 'vitest';
import { readCases, runCases } from '../../../policy/analysis/index.ts';
import { AnalysisError } from '../../../policy/analysis/errors.ts';
import { readConfiguration, type Rule } from '../../../shared/documents/configuration.ts';
import {
  CAROL,
  condition,
  denial,
  ETHER,
  makeConfiguration2,
  MAINNET,
  permit,
} from '../../shared/documents/sample-rules.ts';

const START = '2026-12-02T12:00:00Z';
const row = (changes: object = {}, expected: object = { outcome: 'permitted' }) => ({
  name: 'a payment',
  client: 'backend',
  key: 'hot',
  algorithm: 'ecdsa-secp256k1',
  transaction: {
    kind: 'ethereum-transaction',
    network: MAINNET,
    effects: [{ type: 'transfer', to: CAROL, asset: ETHER, amount: '5' }],
    fee: { asset: ETHER, amount: '1' },
  },
  expect: expected,
  ...changes,
});
const table = (...cases: object[]) => ({ format: 'holdfast-cases/1', start: START, cases });

function run(rules: Rule[], cases: object[], changes: object = {}): (readonly string[])[] {
  const configuration = readConfiguration(makeConfiguration2({ rules, ...changes }));
  return runCases(configuration, readCases(table(...cases))).map(({ differences }) => differences);
}

describe('a table of cases', () => {
  it('is met by what the rules decide', () => {
    const rules = [
      permit({ effects: [condition({ amount: { min: null, max: '5' } })] }),
      permit({
        id: 'large',
        approvals: { all: [{ group: 'treasurers', count: 2 }], expiresSeconds: 60 },
      }),
      denial({ features: ['ethereum:blobs'] }),
    ];
    const large = {
      transaction: {
        ...row().transaction,
        effects: [{ type: 'transfer', to: CAROL, asset: ETHER, amount: '6' }],
      },
    };
    const by = (...people: string[]) => ({ ...large, approvals: { rule: 'large', by: people } });
    expect(
      run(rules, [
        row({}, { outcome: 'permitted', rule: 'transfers' }),
        row(large, { outcome: 'pending', rule: 'large', needs: { treasurers: 2 } }),
        row(by('bob'), { outcome: 'pending', needs: { treasurers: 1 } }),
        row(by('bob', 'cem'), { outcome: 'permitted', rule: 'large' }),
        // Ann stands behind the client.
        row(by('ann', 'cem'), { outcome: 'pending', needs: { treasurers: 1 } }),
        row(
          { ...large, approvals: { rule: 'large', by: ['bob'], rejectedBy: ['cem'] } },
          { outcome: 'denied', code: 'APPROVAL_REJECTED' },
        ),
        row(
          { transaction: { ...row().transaction, features: ['ethereum:blobs'] } },
          { outcome: 'denied', code: 'RULE_DENIED' },
        ),
        row({ client: 'nobody' }, { outcome: 'denied', code: 'UNKNOWN_CLIENT' }),
      ]),
    ).toEqual(Array.from({ length: 8 }, () => []));
  });

  it('differs in each member that is given', () => {
    const found = run(
      [permit()],
      [
        row({}, { outcome: 'denied', code: 'POLICY_DENIED' }),
        row({}, { outcome: 'permitted', rule: 'others' }),
        row({}, { outcome: 'permitted', needs: { treasurers: 1 } }),
        row({ key: 'cold' }, { outcome: 'permitted' }),
      ],
    );
    expect(found.map((each) => each.length)).toEqual([2, 1, 1, 1]);
  });

  it('counts what its cases spend, by their times', () => {
    const limit = { id: 'day', asset: ETHER, max: '10', seconds: 60, per: 'key', fees: false } as const;
    const denied = { outcome: 'denied', code: 'LIMIT_EXCEEDED' };
    expect(
      run(
        [permit({ limits: [limit] })],
        [
          row(),
          row({ after: 30 }),
          row({ after: 29 }, denied),
          row({ after: 2 }),
          row({ at: '2026-12-02T12:01:02Z' }, denied),
          row({ at: '2026-12-02T12:02:02Z' }),
        ],
      ),
    ).toEqual([[], [], [], [], [], []]);
  });

  it('has rates that start full', () => {
    const rules = [permit({ rate: { count: 1, seconds: 86_400 * 31 } })];
    const denied = { outcome: 'denied', code: 'RATE_LIMITED' };
    expect(run(rules, [row(), row({}, denied), row({ after: 86_400 * 31 })])).toEqual([[], [], []]);
  });

  it('is denied after the end of the configuration', () => {
    const expected = { outcome: 'denied', code: 'CONFIGURATION_EXPIRED' };
    expect(run([permit()], [row({}, expected)], { notAfter: '2026-12-01T00:00:00Z' })).toEqual([[]]);
  });

  it('decodes payloads as a node does', () => {
    const publicKey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
    const keys = [{ id: 'hot', type: 'secp256k1' as const, publicKey, networks: [MAINNET] }];
    const payload = (transaction: string) => ({
      transaction: undefined,
      payload: { kind: 'ethereum-transaction', transaction },
    });
    // EIP-155's example, its chain id 1: 1 ether to 0x3535….
    const example =
      'ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080';
    const cases = [
      row(payload(example)),
      row(payload(`${example}00`), { outcome: 'denied', code: 'TRANSACTION_MALFORMED' }),
    ];
    const rules = [permit({ effects: [condition({ amount: { min: null, max: String(10n ** 18n) } })] })];
    expect(run(rules, cases, { keys })).toEqual([[], []]);
    expect(() => run(rules, cases)).toThrow(expect.objectContaining({ code: 'PUBLIC_KEY_UNKNOWN' }));
  });
});

describe('readCases', () => {
  it.each<[string, unknown]>([
    ['nothing', null],
    ['another format', { ...table(row()), format: 'holdfast-cases/2' }],
    ['no cases', table()],
    ['an unknown member', { ...table(row()), more: 1 }],
    ['an unknown member of a case', table(row({ more: 1 }))],
    ['an amount that is a number', table(row({ transaction: { ...row().transaction, nonce: 5 } }))],
    ['both times', table(row({ at: START, after: 1 }))],
    ['a time of nowhere', table(row({ at: '2026-12-02' }))],
    ['nothing to sign', table(row({ transaction: undefined }))],
    ['two things to sign', table(row({ payload: { kind: 'message', message: '' } }))],
    ['a transaction to import', table(row({ operation: 'import-share' }))],
    ['an outcome that is none', table(row({}, { outcome: 'maybe' }))],
    ['control characters', table(row({ name: '\u001b[2J' }))],
  ])('refuses %s', (_, value) => {
    expect(() => readCases(value)).toThrow(AnalysisError);
    expect(() => readCases(value)).toThrow(expect.objectContaining({ code: 'CASES_MALFORMED' }));
  });
});
