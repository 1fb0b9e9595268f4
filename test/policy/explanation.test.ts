import { describe, expect, it } from 'vitest';
import {
  createPolicyState,
  describeReason,
  describeRule,
  explain,
  preparePolicy,
} from '../../policy/index.ts';
import { condition, denial, ETHER, makeConfiguration2, permit } from '../shared/documents/sample-rules.ts';
import { NOON, request } from './start-policy.ts';

const rules = [
  permit({ id: 'small', effects: [condition({ amount: { min: null, max: '4' } })] }),
  permit({ id: 'large', approvals: { all: [{ group: 'security', count: 1 }], expiresSeconds: 60 } }),
  permit({ id: 'cold', keys: ['cold'] }),
  permit({ id: 'theirs', clients: ['treasury'] }),
  permit({
    id: 'limited',
    limits: [{ id: 'daily', asset: ETHER, max: '4', seconds: 60, per: 'client', fees: false }],
  }),
  denial({ id: 'frozen', keys: ['cold'] }),
  denial({ id: 'closed' }),
];

describe('an explanation', () => {
  const policy = preparePolicy(makeConfiguration2({ rules }));
  const state = createPolicyState(policy, 0);
  const explained = explain(policy, request(), state, { now: NOON, monotonic: 0 });
  const of = (id: string) => explained.find(({ rule }) => rule === id);

  it('says of each rule whether it matches, and else what does not', () => {
    expect(explained).toHaveLength(rules.length);
    expect(of('frozen')).toMatchObject({ effect: 'deny', matches: false });
    expect(of('closed')).toMatchObject({ effect: 'deny', matches: true });
    expect(of('small')).toMatchObject({ matches: false, reason: { field: 'amount' } });
    expect(of('large')).toMatchObject({ matches: true, missing: [{ group: 'security', count: 1 }] });
    expect(of('cold')).toMatchObject({ matches: false, reason: { field: 'keys' } });
    expect(of('theirs')).toMatchObject({ matches: false, reason: { field: 'clients' } });
    expect(of('limited')).toMatchObject({ matches: false, reason: { field: 'limits' } });
  });

  it('counts nothing', () => {
    expect(state.accumulations.collectChanges()).toEqual([]);
  });

  it('is a sentence for people', () => {
    const reason = of('small')?.reason;
    expect(reason && describeReason(reason)).toMatch(/^rule small: amount .* is over the maximum .*$/);
    expect(of('cold')?.reason).toBeDefined();
  });
});

describe('a rule in words', () => {
  it('says what it limits', () => {
    const text = describeRule(
      permit({
        features: ['ethereum:blobs'],
        effects: [
          condition({ to: { books: ['suppliers'], addresses: [] }, amount: { min: null, max: '4' } }),
        ],
        approvals: { all: [{ group: 'security', count: 2 }], expiresSeconds: 60 },
        gas: { max: '21000' },
      }),
    );
    for (const part of [
      'book suppliers',
      'at most 4',
      '2 of security',
      'ethereum:blobs',
      '21000',
      'no rate',
      'any fee',
    ]) {
      expect(text).toContain(part);
    }
    expect(describeRule(denial())).toContain('may NOT sign');
  });
});
