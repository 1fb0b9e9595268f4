import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeAlgorithm } from '../../shared/algorithms.ts';
import { type Configuration, readConfiguration, type Rule1 } from '../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../shared/documents/errors.ts';
import { createPolicyState, decide, type PolicyRequest, preparePolicy } from '../../policy/index.ts';

const rule = (change: Partial<Rule1> = {}): Rule1 => ({
  id: 'payouts',
  operations: ['sign'],
  clients: ['backend'],
  keys: ['hot'],
  algorithms: ['ed25519'],
  payloads: ['message'],
  rate: null,
  ...change,
});

const configure = (...rules: Rule1[]): Configuration =>
  readConfiguration({
    format: 'holdfast-configuration/1',
    version: 1,
    manifest: '00'.repeat(48),
    clients: [
      { id: 'backend', publicKey: '01'.repeat(32) },
      { id: 'treasury', publicKey: '02'.repeat(32) },
    ],
    keys: [
      { id: 'hot', type: 'ed25519' },
      { id: 'cold', type: 'ed25519' },
      { id: 'bitcoin', type: 'secp256k1' },
      { id: 'shared', type: 'frost-ed25519' },
    ],
    rules,
  });

const request: PolicyRequest = {
  operation: 'sign',
  client: 'backend',
  key: 'hot',
  algorithm: 'ed25519',
  payload: 'message',
};

/** A node with these rules: one function that answers with the rule's name or the code of the refusal. */
function start(rules: Rule1[], startedAt = 0) {
  const policy = preparePolicy(configure(...rules));
  const state = createPolicyState(policy, startedAt);
  return (change: object = {}, now = startedAt) => {
    const time = { now: 0, monotonic: now };
    const decision = decide(policy, { ...request, ...change }, state, time);
    return decision.outcome === 'denied' ? decision.code : decision.rule;
  };
}

describe('a policy', () => {
  it('allows what a rule permits and names the rule', () => {
    expect(start([rule()])()).toBe('payouts');
  });

  it('denies everything without rules', () => {
    expect(start([])()).toBe('POLICY_DENIED');
  });

  it.each([
    ['client', { client: 'treasury' }, 'POLICY_DENIED'],
    ['key', { key: 'cold' }, 'POLICY_DENIED'],
    ['operation', { operation: 'import-share' }, 'POLICY_DENIED'],
    ['unknown client', { client: 'stranger' }, 'UNKNOWN_CLIENT'],
    ['unknown key', { key: 'absent' }, 'UNKNOWN_KEY'],
    ['algorithm of another key type', { algorithm: 'ecdsa-secp256k1' }, 'ALGORITHM_MISMATCH'],
    ['payload that the algorithm does not take', { payload: 'digest' }, 'PAYLOAD_MISMATCH'],
  ])('refuses another %s than the rule names', (_field, change, code) => {
    expect(start([rule()])(change)).toBe(code);
  });

  it('refuses another algorithm or payload of the same key than the rule names', () => {
    const sign = start([rule({ keys: ['bitcoin'], algorithms: ['bip340'], payloads: ['taproot-sighash'] })]);
    const bitcoin = { key: 'bitcoin', algorithm: 'bip340', payload: 'taproot-sighash' };
    expect(sign(bitcoin)).toBe('payouts');
    expect(sign({ ...bitcoin, payload: 'digest' })).toBe('POLICY_DENIED');
    expect(sign({ ...bitcoin, algorithm: 'ecdsa-secp256k1', payload: 'digest' })).toBe('POLICY_DENIED');
  });

  it.each([
    ['client', 'UNKNOWN_CLIENT'],
    ['key', 'UNKNOWN_KEY'],
    ['algorithm', 'POLICY_DENIED'],
    ['payload', 'POLICY_DENIED'],
    ['operation', 'POLICY_DENIED'],
  ])('refuses a request without its %s', (field, code) => {
    expect(start([rule()])({ [field]: undefined })).toBe(code);
  });

  it.each(['constructor', '__proto__', 'toString', ''])('takes %j in no field', (name) => {
    const sign = start([rule()]);
    for (const field of ['client', 'key', 'algorithm', 'payload', 'operation']) {
      expect(sign({ [field]: name })).toMatch(/^[A-Z_]+$/);
    }
  });

  it('has no list that means everything: a configuration with an empty one is refused', () => {
    for (const field of ['operations', 'clients', 'keys', 'algorithms', 'payloads']) {
      expect(() => configure(rule({ [field]: [] }))).toThrow(ConfigurationError);
    }
  });

  it('never allows what no single rule permits in all its fields', () => {
    const pick = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 });
    const rules = fc.array(
      fc.record({
        operations: pick<Rule1['operations'][number]>('sign', 'import-share'),
        clients: pick('backend', 'treasury'),
        keys: pick('hot', 'cold', 'bitcoin', 'shared'),
        algorithms: pick<Rule1['algorithms'][number]>(
          'ed25519',
          'bip340',
          'ecdsa-secp256k1',
          'frost-ed25519',
        ),
        payloads: pick<Rule1['payloads'][number]>('message', 'digest', 'taproot-sighash'),
      }),
      { maxLength: 6 },
    );
    const requests = fc.record({
      operation: fc.constantFrom('sign', 'import-share'),
      client: fc.constantFrom('backend', 'treasury'),
      key: fc.constantFrom('hot', 'cold', 'bitcoin', 'shared'),
      algorithm: fc.constantFrom('ed25519', 'bip340', 'ecdsa-secp256k1', 'frost-ed25519'),
      payload: fc.constantFrom('message', 'digest', 'taproot-sighash'),
    });
    const includes = (list: readonly string[], value: string) => list.includes(value);
    fc.assert(
      fc.property(rules, requests, (rules, asked) => {
        const named = rules.map((fields, index) => rule({ ...fields, id: `rule-${index}` }));
        const permitting = named.filter(
          (candidate) =>
            includes(candidate.operations, asked.operation) &&
            includes(candidate.clients, asked.client) &&
            includes(candidate.keys, asked.key) &&
            includes(candidate.algorithms, asked.algorithm) &&
            (asked.operation !== 'sign' || includes(candidate.payloads, asked.payload)),
        );
        const answer = start(named)(asked);
        const refused = !permitting.map(({ id }) => id).includes(answer);
        const { keys, payloads } = describeAlgorithm(asked.algorithm);
        const type = { hot: 'ed25519', cold: 'ed25519', bitcoin: 'secp256k1', shared: 'frost-ed25519' };
        const possible =
          includes(keys, type[asked.key as 'hot']) &&
          (asked.operation !== 'sign' || includes(payloads, asked.payload));
        expect(refused).toBe(permitting.length === 0 || !possible);
      }),
      { numRuns: 500 },
    );
  });
});

describe('shares', () => {
  const share = { key: 'shared', algorithm: 'frost-ed25519', payload: undefined };

  it('keeps imports and signatures apart', () => {
    const fields = { keys: ['shared'], algorithms: ['frost-ed25519' as const] };
    const importer = start([rule({ ...fields, operations: ['import-share'] })]);
    expect(importer({ ...share, operation: 'import-share' })).toBe('payouts');
    expect(importer({ ...share, operation: 'sign', payload: 'message' })).toBe('POLICY_DENIED');
    const signer = start([rule({ ...fields, operations: ['sign'] })]);
    expect(signer({ ...share, operation: 'import-share' })).toBe('POLICY_DENIED');
  });
});

describe('a rate', () => {
  const limited = (count: number, seconds: number, change: Partial<Rule1> = {}) =>
    rule({ rate: { count, seconds }, ...change });

  it('grants nothing at the start, so that a restart never grants more', () => {
    const sign = start([limited(10, 10)], 5_000);
    expect(sign({}, 5_000)).toBe('RATE_LIMITED');
    expect(sign({}, 5_999)).toBe('RATE_LIMITED');
    expect(sign({}, 6_000)).toBe('payouts');
    expect(sign({}, 6_000)).toBe('RATE_LIMITED');
  });

  it('saves up to its count and no more', () => {
    const sign = start([limited(3, 60)]);
    const answers = Array.from({ length: 5 }, () => sign({}, 10 * 60_000));
    expect(answers).toEqual(['payouts', 'payouts', 'payouts', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  it('grants nothing to a clock that ran backwards or is none', () => {
    const sign = start([limited(5, 1)], 10_000);
    expect(sign({}, 9_000)).toBe('RATE_LIMITED');
    expect(sign({}, Number.NaN)).toBe('RATE_LIMITED');
    expect(sign({}, -Infinity)).toBe('RATE_LIMITED');
    expect(sign({}, 10_200)).toBe('payouts');
  });

  it('never grants more than its count at once and its rate over time, however often the node restarts', () => {
    const steps = fc.array(
      fc.record({ wait: fc.nat({ max: 3_000 }), restart: fc.boolean(), tries: fc.nat({ max: 5 }) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        steps,
        (count, seconds, steps) => {
          let now = 0;
          let granted = 0;
          let sign = start([limited(count, seconds)]);
          for (const { wait, restart, tries } of steps) {
            now += wait;
            if (restart) sign = start([limited(count, seconds)], now);
            for (let i = 0; i < tries; i += 1) granted += Number(sign({}, now) === 'payouts');
          }
          expect(granted).toBeLessThanOrEqual((now * count) / (seconds * 1000));
        },
      ),
    );
  });

  it('belongs to the rule, for all its clients and keys together', () => {
    const sign = start([limited(2, 2, { clients: ['backend', 'treasury'], keys: ['hot', 'cold'] })]);
    expect(sign({}, 2_000)).toBe('payouts');
    expect(sign({ client: 'treasury', key: 'cold' }, 2_000)).toBe('payouts');
    expect(sign({ client: 'treasury' }, 2_000)).toBe('RATE_LIMITED');
  });

  it('is not drawn on by a request that is refused for another reason', () => {
    const sign = start([limited(1, 1)]);
    expect(sign({ payload: 'digest' }, 1_000)).toBe('PAYLOAD_MISMATCH');
    expect(sign({ key: 'cold' }, 1_000)).toBe('POLICY_DENIED');
    expect(sign({}, 1_000)).toBe('payouts');
  });

  it('adds to that of other rules, the narrowest being drawn on first, whatever their order', () => {
    // Not by name, nor by place.
    const narrow = limited(1, 1, { id: 'x-narrow' });
    const wide = limited(1, 1, { id: 'wide', keys: ['hot', 'cold'] });
    for (const rules of [
      [narrow, wide],
      [wide, narrow],
    ]) {
      const sign = start(rules);
      expect(sign({}, 1_000)).toBe('x-narrow');
      expect(sign({ key: 'cold' }, 1_000)).toBe('wide');
      expect(sign({}, 1_000)).toBe('RATE_LIMITED');
    }
  });

  it('of equally wide rules is drawn on by name', () => {
    const sign = start([limited(1, 1, { id: 'b' }), limited(1, 1, { id: 'a' })]);
    expect([sign({}, 1_000), sign({}, 1_000), sign({}, 1_000)]).toEqual(['a', 'b', 'RATE_LIMITED']);
  });

  it('is left alone where a rule without one matches', () => {
    const sign = start([limited(1, 1), rule({ id: 'unlimited', keys: ['hot', 'cold'] })]);
    expect([sign({}, 1_000), sign({}, 1_000)]).toEqual(['unlimited', 'unlimited']);
  });
});
