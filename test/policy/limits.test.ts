import { describe, expect, it } from 'vitest';
import { Accumulations } from '../../policy/index.ts';
import type { Limit } from '../../shared/documents/configuration.ts';
import { CAROL, condition, DAVE, ETHER, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { NOON, outcomeOf, request, startPolicy } from './start-policy.ts';

const limit = (changes: Partial<Limit> = {}): Limit => ({
  id: 'daily',
  asset: ETHER,
  max: '10',
  seconds: 86_400,
  per: 'client',
  fees: false,
  ...changes,
});
const PERMITTED = 'permitted transfers';
const start = (changes: Partial<Limit> = {}, accumulations?: Accumulations) => {
  const rule = permit({ clients: ['all-clients'], keys: ['hot', 'cold'], limits: [limit(changes)] });
  const decide = startPolicy([rule], {}, accumulations);
  return (of = transaction(), asked: object = {}, now = NOON) => outcomeOf(decide(request(of, asked), now));
};
const pays = (amount: bigint | null, changes: object = {}) =>
  transaction({ effects: [effect({ amount, ...changes })] });

describe('a limit', () => {
  it('ends with what is over it, and says when it fits again', () => {
    const decide = startPolicy([permit({ limits: [limit()] })]);
    expect(decide(request(pays(6n)))).toMatchObject({ outcome: 'permitted', charges: [{ amount: 6n }] });
    expect(decide(request(pays(5n)), NOON + 1000)).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      reasons: [{ rule: 'transfers', field: 'limits', detail: expect.stringContaining('limit daily') }],
      needs: [{ kind: 'time', milliseconds: 86_399_000 }],
    });
    expect(outcomeOf(decide(request(pays(4n))))).toBe(PERMITTED);
  });

  it.each<[Limit['per'], object, string]>([
    ['client', { client: 'treasury' }, PERMITTED],
    ['client', { key: 'cold' }, 'LIMIT_EXCEEDED'],
    ['key', { key: 'cold' }, PERMITTED],
    ['key', { client: 'treasury' }, 'LIMIT_EXCEEDED'],
    ['rule', { client: 'treasury', key: 'cold' }, 'LIMIT_EXCEEDED'],
    ['destination', { client: 'treasury', key: 'cold' }, 'LIMIT_EXCEEDED'],
  ])('per %s is another for %j or not', (per, asked, outcome) => {
    const tryOn = start({ per });
    expect(tryOn(pays(10n))).toBe(PERMITTED);
    expect(tryOn(pays(1n), asked)).toBe(outcome);
  });

  it('per destination counts what each of them gets, in whatever spelling', () => {
    const tryOn = start({ per: 'destination' });
    const both = transaction({ effects: [effect({ amount: 8n }), effect({ amount: 10n, to: DAVE })] });
    expect(tryOn(both)).toBe(PERMITTED);
    expect(tryOn(pays(3n, { to: CAROL.toLowerCase() }))).toBe('LIMIT_EXCEEDED');
    expect(tryOn(pays(2n))).toBe(PERMITTED);
    expect(tryOn(pays(1n, { to: null }))).toBe('POLICY_DENIED');
  });

  it('counts the fee where it says so, and needs to know it then', () => {
    expect(start({ fees: true })(pays(9n))).toBe('LIMIT_EXCEEDED');
    expect(start({ fees: true })(pays(8n))).toBe(PERMITTED);
    expect(start({ fees: true })({ ...pays(1n), fee: null })).toBe('POLICY_DENIED');
    expect(start({ fees: false })(pays(10n))).toBe(PERMITTED);
  });

  it('matches nothing that nobody can count', () => {
    expect(start()(pays(null))).toBe('POLICY_DENIED');
    expect(start()(pays(1n, { asset: null }))).toBe('POLICY_DENIED');
    const unknown = permit({ effects: [condition(), condition({ type: 'unknown' })], limits: [limit()] });
    const both = transaction({ effects: [effect(), effect({ type: 'unknown', asset: null, amount: null })] });
    expect(outcomeOf(startPolicy([unknown])(request(both)))).toBe('POLICY_DENIED');
  });

  it('is shared by all rules that name it', () => {
    const decide = startPolicy([
      permit({ id: 'a', limits: [limit()] }),
      permit({ id: 'b', keys: ['cold'], limits: [limit()] }),
    ]);
    expect(outcomeOf(decide(request(pays(10n))))).toBe('permitted a');
    expect(outcomeOf(decide(request(pays(1n), { key: 'cold' })))).toBe('LIMIT_EXCEEDED');
  });

  it('leaves the way to another rule, and is not drawn on by it', () => {
    const decide = startPolicy([
      permit({ limits: [limit()] }),
      permit({ id: 'above', keys: ['hot', 'cold'], limits: [limit({ id: 'yearly', max: '100' })] }),
    ]);
    expect([pays(10n), pays(10n), pays(10n)].map((of) => outcomeOf(decide(request(of))))).toEqual([
      PERMITTED,
      'permitted above',
      'permitted above',
    ]);
  });

  it('is not drawn on by what is denied, waits, or has no rate left', () => {
    const accumulations = new Accumulations();
    const approvals = { all: [{ group: 'security', count: 1 }], expiresSeconds: 60 };
    const rate = { count: 1, seconds: 3600 };
    const waiting = startPolicy([permit({ limits: [limit()], approvals })], {}, accumulations);
    const limited = startPolicy([permit({ limits: [limit()], rate })], {}, accumulations);
    expect(outcomeOf(waiting(request(pays(5n))))).toBe('pending transfers');
    expect(outcomeOf(limited(request(pays(5n))))).toBe('RATE_LIMITED');
    expect(start({}, accumulations)(pays(11n))).toBe('LIMIT_EXCEEDED');
    expect(accumulations.collectChanges()).toEqual([]);
  });

  it('denies when no more windows can be remembered', () => {
    const tryOn = start({ per: 'destination' }, new Accumulations(1));
    expect(tryOn(pays(1n))).toBe(PERMITTED);
    expect(tryOn(pays(1n, { to: DAVE }))).toBe('LIMITS_FULL');
    expect(tryOn(pays(1n))).toBe(PERMITTED);
  });

  it('denies where the clock gives no time', () => {
    expect(start()(pays(1n), {}, Number.NaN)).toBe('POLICY_FAILED');
  });
});
