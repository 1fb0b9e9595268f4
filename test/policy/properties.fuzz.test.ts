import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Accumulations,
  compareConfigurations,
  createPolicyState,
  decide,
  preparePolicy,
} from '../../policy/index.ts';
import type { PolicyRequest } from '../../policy/request.ts';
import type { Effect, Transaction } from '../../policy/transactions/transaction.ts';
import { type Configuration, readConfiguration, type Rule } from '../../shared/documents/configuration.ts';
import { CAROL, DAVE, ETHER, makeConfiguration2, MAINNET, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { NOON, request } from './start-policy.ts';

const DAI = 'eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f';
/** Null six times out of seven: a rule with a limit in every member permits nothing that is drawn. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });
/** Null once in eight times. */
const mostly = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 7 });
const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 });
const amounts = fc.integer({ min: 0, max: 12 }).map(String);

const scopes = {
  operations: fc.constantFrom<('sign' | 'import-share')[]>(
    ['sign'],
    ['sign'],
    ['sign', 'import-share'],
    ['import-share'],
  ),
  clients: fc.constantFrom(['backend'], ['all-clients'], ['treasury', 'all-clients']),
  keys: fc.constantFrom(['hot'], ['hot', 'cold']),
  algorithms: fc.constant(['ecdsa-secp256k1' as const]),
  payloads: some<'ethereum-transaction' | 'ethereum-message'>('ethereum-transaction', 'ethereum-message'),
  networks: rarely(some(MAINNET, 'eip155:5')),
  time: rarely(
    fc.record({
      days: fc.constant(['wednesday' as const]),
      hours: fc.constant(null),
      notBefore: fc.constant(null),
      notAfter: fc.constant(null),
    }),
  ),
};
const conditions = fc.record({
  type: fc.constantFrom('transfer' as const, 'transfer' as const, 'allowance' as const, 'call' as const),
  to: rarely(
    fc.record({ books: fc.constant(['suppliers']), addresses: fc.subarray([`${MAINNET}:${DAVE}`]) }),
  ),
  assets: rarely(some(ETHER, DAI)),
  contracts: rarely(fc.constant([{ address: `${MAINNET}:${DAVE}`, selectors: ['0xaabbccdd'] }])),
  amount: rarely(fc.record({ min: fc.constant(null), max: amounts })),
});
const approvals = fc.record({
  all: fc.constantFrom(
    [{ group: 'security', count: 1 }],
    [
      { group: 'treasurers', count: 2 },
      { group: 'security', count: 1 },
    ],
  ),
  expiresSeconds: fc.constant(60),
});
const LIMITS = [
  { id: 'a', asset: ETHER, max: '8', seconds: 60, per: 'client', fees: true },
  { id: 'b', asset: DAI, max: '6', seconds: 60, per: 'destination', fees: false },
] as const;
const permits = fc.record({
  ...scopes,
  effect: fc.constant('permit' as const),
  effects: fc.array(conditions, { minLength: 1, maxLength: 3 }),
  features: fc.subarray(['ethereum:blobs', 'ethereum:creation']),
  fee: rarely(
    fc.record({ asset: fc.constant(ETHER), max: amounts, maxShareBasisPoints: rarely(fc.constant(5000)) }),
  ),
  gas: rarely(fc.record({ max: amounts })),
  nonce: rarely(fc.record({ min: fc.constant('2'), max: fc.constant('9') })),
  limits: fc.subarray([...LIMITS]),
  approvals: rarely(approvals),
  tiers: fc.constantFrom(
    [],
    [
      {
        asset: ETHER,
        steps: [
          { max: '4', approvals: null },
          { max: null, approvals: { all: [{ group: 'security', count: 1 }], expiresSeconds: 60 } },
        ],
      },
    ],
  ),
  rate: rarely(fc.constant({ count: 1, seconds: 1 })),
});
const denials = fc.record({
  ...scopes,
  effect: fc.constant('deny' as const),
  effects: rarely(fc.array(conditions, { minLength: 1, maxLength: 2 })),
  features: rarely(some('ethereum:blobs', 'ethereum:creation')),
});
const name = (rules: readonly object[]): Rule[] =>
  rules.map((rule, index) => ({ ...rule, id: `r-${index}` }) as Rule);
/** Mostly permits: among many denials nothing is ever permitted. */
const ruleLists = fc
  .tuple(
    fc.array(permits, { minLength: 1, maxLength: 5 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(denials, { maxLength: 1 }) },
    ),
  )
  .map(([some, others]) => name([...some, ...others]));

const effects: fc.Arbitrary<Effect> = fc
  .record({
    type: fc.constantFrom('transfer' as const, 'transfer' as const, 'allowance' as const, 'call' as const),
    to: fc.constantFrom(CAROL, DAVE, CAROL.toLowerCase(), CAROL, null),
    asset: fc.constantFrom(ETHER, ETHER, ETHER, DAI, null),
    amount: mostly(fc.bigInt({ min: 0n, max: 12n })),
    contract: fc.constantFrom(DAVE, null),
    selector: fc.constantFrom('0xaabbccdd', '0xAABBCCDD', null),
  })
  .map((fields) => effect(fields));
const transactions: fc.Arbitrary<Transaction> = fc.record({
  kind: fc.constantFrom(
    'ethereum-transaction' as const,
    'ethereum-transaction' as const,
    'ethereum-message' as const,
  ),
  network: fc.constantFrom(MAINNET, MAINNET, MAINNET, 'eip155:5', null),
  source: fc.constant(null),
  effects: fc.array(effects, { minLength: 1, maxLength: 2 }),
  fee: mostly(fc.record({ asset: fc.constantFrom(ETHER, DAI), amount: fc.bigInt({ min: 0n, max: 6n }) })),
  nonce: mostly(fc.bigInt({ min: 0n, max: 12n })),
  gas: mostly(fc.bigInt({ min: 0n, max: 12n })),
  features: fc.constantFrom([], [], ['ethereum:blobs'], ['ethereum:creation']),
  details: fc.constant({}),
});
const votes = fc.array(
  fc.record({
    approver: fc.constantFrom('ann', 'bob', 'cem', 'dan', 'eve', 'joe'),
    decision: fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'reject' as const),
    at: fc.constantFrom(NOON, NOON, NOON - 60_000),
  }),
  { maxLength: 5 },
);
const requests: fc.Arbitrary<PolicyRequest> = fc
  .record({
    client: fc.constantFrom('backend', 'treasury'),
    key: fc.constantFrom('hot', 'hot', 'hot', 'cold'),
    of: transactions,
    consent: fc.record({ rule: fc.constantFrom('r-0', 'r-1', 'r-2'), approvals: votes }),
  })
  .map(({ of, ...rest }) => request(of, rest));

const configure = (rules: readonly Rule[]): Configuration => makeConfiguration2({ rules: [...rules] });

/** Decides by these rules, each with a token in its bucket, on a node that has spent nothing. */
function permitsBy(rules: readonly Rule[], asked: PolicyRequest): boolean {
  const policy = preparePolicy(configure(rules));
  const state = createPolicyState(policy, 0);
  return decide(policy, asked, state, { now: NOON, monotonic: 3_600_000 }).outcome === 'permitted';
}

const RUNS = { numRuns: 1000 };

describe('random rules and requests', () => {
  it('are permitted now and then: else nothing below says anything', () => {
    const drawn = fc.sample(fc.tuple(ruleLists, requests), { numRuns: 1000, seed: 7 });
    for (const [rules] of drawn.slice(0, 50))
      expect(readConfiguration(configure(rules)).rules).toEqual(rules);
    const permitted = drawn.filter(([rules, asked]) => permitsBy(rules, asked)).length;
    expect(permitted).toBeGreaterThan(50);
    expect(permitted).toBeLessThan(900);
  });

  it('a rule that denies is added, or one that permits is removed: nothing more is permitted', () => {
    fc.assert(
      fc.property(ruleLists, denials, requests, fc.nat(), (rules, denial, asked, place) => {
        if (permitsBy(rules, asked)) return;
        const [added] = name([denial]).map((rule) => ({ ...rule, id: 'added' }));
        expect(permitsBy(added === undefined ? rules : [...rules, added], asked)).toBe(false);
        const kept = rules.filter((rule, index) => rule.effect === 'deny' || index !== place % rules.length);
        expect(permitsBy(kept, asked)).toBe(false);
      }),
      RUNS,
    );
  });

  it('the order of rules means nothing', () => {
    fc.assert(
      fc.property(ruleLists, requests, (rules, asked) => {
        const orders = [
          rules,
          rules.toReversed(),
          rules.toSorted((a, b) => a.effects?.length ?? 0 - (b.effects?.length ?? 0)),
        ];
        const outcomes = orders.map((order) => {
          const policy = preparePolicy(configure(order));
          return decide(policy, asked, createPolicyState(policy, 0), { now: NOON, monotonic: 3_600_000 });
        });
        for (const { outcome, ...rest } of outcomes) {
          expect(outcome).toBe(outcomes[0]?.outcome);
          if (outcome !== 'denied') expect(rest).toMatchObject({ rule: 'rule' in rest ? rest.rule : '' });
        }
      }),
      RUNS,
    );
  });

  it('a field that goes missing permits nothing that was not permitted with it', () => {
    const fields = fc.constantFrom(
      'network',
      'fee',
      'nonce',
      'gas',
      'to',
      'asset',
      'amount',
      'contract',
      'selector',
    );
    fc.assert(
      fc.property(ruleLists, requests, fields, (rules, asked, field) => {
        if (asked.operation !== 'sign' || asked.transaction === undefined || permitsBy(rules, asked)) return;
        const of = asked.transaction;
        const lacking =
          field in of
            ? { ...of, [field]: null }
            : { ...of, effects: of.effects.map((each) => lose(each, field)) };
        expect(permitsBy(rules, { ...asked, transaction: lacking })).toBe(false);
      }),
      RUNS,
    );
  });

  it('what the comparison says is unchanged is decided as before', () => {
    fc.assert(
      fc.property(ruleLists, ruleLists, fc.boolean(), requests, (before, others, isShuffled, asked) => {
        const after = isShuffled ? before.toReversed().map(repeat) : others;
        if (compareConfigurations(configure(before), configure(after)).length > 0) return;
        expect(permitsBy(after, asked)).toBe(permitsBy(before, asked));
      }),
      RUNS,
    );
  });

  it('what the comparison says grants nothing permits nothing more', () => {
    fc.assert(
      fc.property(ruleLists, fc.nat(), permits, requests, (before, place, other, asked) => {
        const after = before.map((rule, index) =>
          index === place % before.length && rule.effect === 'permit' ? mix(rule, other, place) : rule,
        );
        const changes = compareConfigurations(configure(before), configure(after));
        if (changes.some(({ grants }) => grants) || permitsBy(before, asked)) return;
        expect(permitsBy(after, asked)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

/**
 * An effect without a field. The asset and amount of a call are left alone: most calls have none, and a rule that counts
 * amounts permits them on purpose.
 */
function lose(each: Effect, field: string): Effect {
  return each.type === 'call' && (field === 'asset' || field === 'amount')
    ? each
    : { ...each, [field]: null };
}

/** The same rule with what means the same: lists in another order. */
function repeat(rule: Rule): Rule {
  return {
    ...rule,
    keys: rule.keys.toReversed(),
    clients: rule.clients.toReversed(),
    payloads: rule.payloads.toReversed(),
  };
}

/** A rule with one member of another. */
function mix(rule: Extract<Rule, { effect: 'permit' }>, other: object, place: number): Rule {
  const members = Object.keys(other).filter((member) => member !== 'effect');
  const member = members[place % members.length] ?? 'gas';
  return { ...rule, [member]: (other as Record<string, unknown>)[member] };
}

describe('accumulations under random crashes, restarts and requests', () => {
  const steps = fc.array(
    fc.record({
      wait: fc.nat({ max: 2500 }),
      client: fc.constantFrom('backend', 'treasury'),
      amount: fc.bigInt({ min: 1n, max: 9n }),
      // What happens to the node after the decision.
      fate: fc.constantFrom('seal', 'seal', 'later', 'crash', 'restart', 'clock-back'),
    }),
    { maxLength: 120 },
  );

  it('let never more leave within a window than the limit', () => {
    const max = 10n;
    const seconds = 4;
    const limit = { id: 'a', asset: ETHER, max: String(max), seconds, per: 'rule', fees: false } as const;
    const configuration = configure([permit({ clients: ['all-clients'], limits: [limit] })]);
    const policy = preparePolicy(configuration);
    fc.assert(
      fc.property(steps, (steps) => {
        const store = new Map<string, Uint8Array>();
        const left: { at: number; amount: bigint }[] = [];
        let waiting: typeof left = [];
        let now = NOON;
        let seen = 0;
        let state = createPolicyState(policy, 0);
        const seal = () => {
          for (const { id, plaintext } of state.accumulations.collectChanges()) {
            if (plaintext === null) store.delete(id);
            else store.set(id, plaintext);
          }
          left.push(...waiting);
          waiting = [];
        };
        const restart = () => {
          waiting = [];
          seen = Math.max(0, ...left.map(({ at }) => at));
          state = createPolicyState(policy, 0, Accumulations.restore(store.values()));
        };
        for (const { wait, client, amount, fate } of steps) {
          now += wait;
          const believed = fate === 'clock-back' ? now - 5000 : now;
          const asked = request(transaction({ effects: [effect({ amount })] }), { client });
          const { outcome } = decide(policy, asked, state, { now: believed, monotonic: now - NOON });
          // A clock that goes back is not believed.
          seen = Math.max(seen, believed);
          if (outcome === 'permitted') waiting.push({ at: seen, amount });
          if (fate === 'seal' || fate === 'restart') seal();
          if (fate === 'crash' || fate === 'restart') restart();
        }
        seal();
        for (const { at } of left) {
          const within = left.filter((each) => each.at <= at && each.at > at - seconds * 1000);
          expect(within.reduce((sum, each) => sum + each.amount, 0n) <= max).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
