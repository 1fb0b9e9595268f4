import { describe, expect, it } from 'vitest';
import type { Approval } from '../../policy/index.ts';
import type { PermitRule } from '../../shared/documents/configuration.ts';
import { ETHER, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { NOON, outcomeOf, request, startPolicy } from './start-policy.ts';

const vote = (approver: string, changes: Partial<Approval> = {}): Approval => ({
  approver,
  decision: 'approve',
  at: NOON,
  ...changes,
});
const asking = (...all: { group: string; count: number }[]) => ({ all, expiresSeconds: 3600 });
const [TWO_TREASURERS, ONE_SECURITY] = [
  { group: 'treasurers', count: 2 },
  { group: 'security', count: 1 },
];
const withVotes = (votes: readonly (Approval | string)[], rule = 'transfers', of = transaction()) =>
  request(of, {
    consent: { rule, approvals: votes.map((each) => (typeof each === 'string' ? vote(each) : each)) },
  });
const tryVotes = (
  approvals: PermitRule['approvals'],
  votes: readonly (Approval | string)[],
  now = NOON,
  rule = 'transfers',
) => outcomeOf(startPolicy([permit({ approvals })])(withVotes(votes, rule), now));

describe('approvals', () => {
  it('are asked for, and permit when they are there', () => {
    const rule = permit({ approvals: asking(TWO_TREASURERS) });
    expect(startPolicy([rule])()).toEqual({
      outcome: 'pending',
      rule: 'transfers',
      needs: [{ kind: 'approvals', rule: 'transfers', groups: [TWO_TREASURERS], expiresSeconds: 3600 }],
    });
    expect(tryVotes(rule.approvals, ['bob', 'cem'])).toBe('permitted transfers');
  });

  // The client's person is ann; dan is in both groups.
  it.each<[string, readonly (Approval | string)[]]>([
    ['nobody', []],
    ['one person', ['bob']],
    ['one person twice', ['bob', 'bob']],
    ['the requester', ['ann', 'bob']],
    ['somebody of another group', ['bob', 'eve']],
    ['somebody unknown', ['bob', 'joe']],
    ['an approval that has expired', ['bob', vote('cem', { at: NOON - 3_600_000 })]],
    ['an approval of the future', ['bob', vote('cem', { at: NOON + 1 })]],
  ])('of two treasurers are not given by %s', (_, votes) => {
    expect(tryVotes(asking(TWO_TREASURERS), votes)).toBe('pending transfers');
  });

  it.each<[string, string[], string]>([
    ['a person in two groups counts once', ['bob', 'dan'], 'pending'],
    ['and may be what a second group still lacks', ['bob', 'cem', 'dan'], 'permitted'],
    ['whichever order they come in', ['dan', 'cem', 'bob'], 'permitted'],
    ['or fill the first group, where somebody else is in the second', ['dan', 'bob', 'eve'], 'permitted'],
    ['never both', ['dan', 'eve'], 'pending'],
  ])('of two groups: %s', (_, votes, outcome) => {
    for (const all of [asking(TWO_TREASURERS, ONE_SECURITY), asking(ONE_SECURITY, TWO_TREASURERS)]) {
      expect(tryVotes(all, votes)).toBe(`${outcome} transfers`);
    }
  });

  it('say what is still missing', () => {
    const decision = startPolicy([permit({ approvals: asking(TWO_TREASURERS, ONE_SECURITY) })])(
      withVotes(['bob', 'dan']),
    );
    expect(decision).toMatchObject({ needs: [{ groups: [{ count: 1 }] }] });
  });

  it('count for the rule alone that they were asked for', () => {
    expect(tryVotes(asking(TWO_TREASURERS), ['bob', 'cem'], NOON, 'another')).toBe('pending transfers');
  });

  it('end with a rejection by anybody whom the rule asks, and by no other', () => {
    const reject = (approver: string) => vote(approver, { decision: 'reject' });
    expect(tryVotes(asking(TWO_TREASURERS), ['bob', 'cem', reject('dan')])).toBe('APPROVAL_REJECTED');
    expect(tryVotes(asking(TWO_TREASURERS), ['bob', 'cem', reject('eve')])).toBe('permitted transfers');
    // A rejection under a rule that is gone stays one.
    expect(tryVotes(asking(TWO_TREASURERS), [reject('eve')], NOON, 'gone')).toBe('APPROVAL_REJECTED');
    const free = permit({ id: 'free' });
    const decide = startPolicy([permit({ approvals: asking(TWO_TREASURERS) }), free]);
    expect(outcomeOf(decide(withVotes([reject('dan')])))).toBe('APPROVAL_REJECTED');
  });

  it('are not asked for where another rule permits without', () => {
    const decide = startPolicy([
      permit({ id: 'a', approvals: asking(ONE_SECURITY) }),
      permit({ id: 'free', keys: ['hot', 'cold'] }),
    ]);
    expect(outcomeOf(decide())).toBe('permitted free');
  });

  it('do not help a rule that does not match', () => {
    const decide = startPolicy([permit({ approvals: asking(ONE_SECURITY), gas: { max: '1' } })]);
    expect(outcomeOf(decide(withVotes(['eve'])))).toBe('POLICY_DENIED');
  });
});

describe('tiers', () => {
  const tiers = [
    {
      asset: ETHER,
      steps: [
        { max: '5', approvals: null },
        { max: '10', approvals: asking(ONE_SECURITY) },
        { max: '20', approvals: asking(TWO_TREASURERS) },
      ],
    },
  ];
  const of = (...amounts: (bigint | null)[]) =>
    transaction({ effects: amounts.map((amount) => effect({ amount })) });
  const tryOn = (asked = of(5n), votes: string[] = []) =>
    outcomeOf(startPolicy([permit({ tiers })])(withVotes(votes, 'transfers', asked)));

  it.each<[string, bigint[], string[], string]>([
    ['up to the first', [5n], [], 'permitted transfers'],
    ['just above it', [6n], [], 'pending transfers'],
    ['split', [3n, 3n], [], 'pending transfers'],
    ['with the consent of its tier', [10n], ['eve'], 'permitted transfers'],
    ['with the consent of a lower tier', [11n], ['eve'], 'pending transfers'],
    ['of the last one', [20n], ['bob', 'cem'], 'permitted transfers'],
    ['above all of them', [21n], ['bob', 'cem', 'dan', 'eve'], 'POLICY_DENIED'],
  ])('ask by amount: %s', (_, amounts, votes, outcome) => {
    expect(tryOn(of(...amounts), votes)).toBe(outcome);
  });

  it('match no amount that is not known, and no asset that has none', () => {
    expect(tryOn(of(null))).toBe('POLICY_DENIED');
    expect(tryOn(transaction({ effects: [effect({ asset: null })] }))).toBe('POLICY_DENIED');
    expect(tryOn(transaction({ effects: [effect({ asset: 'eip155:1/slip44:61', amount: 1n })] }))).toBe(
      'POLICY_DENIED',
    );
  });

  it('ask beside the rule’s own approvals, and one person may give both', () => {
    const rule = permit({ tiers, approvals: asking(TWO_TREASURERS) });
    const decide = startPolicy([rule]);
    expect(outcomeOf(decide(withVotes(['bob', 'cem'], 'transfers', of(6n))))).toBe('pending transfers');
    expect(outcomeOf(decide(withVotes(['bob', 'dan'], 'transfers', of(6n))))).toBe('permitted transfers');
  });
});
