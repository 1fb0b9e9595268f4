import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPolicyState, decide, preparePolicy } from '../../policy/index.ts';
import { readConfiguration, type Rule } from '../../shared/documents/configuration.ts';
import { CAROL, ETHER, makeConfiguration2, MAINNET } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { NOON, outcomeOf, request } from './start-policy.ts';

const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```json\n(.*?)\n```/gs)].map(([, text = '']) => JSON.parse(text) as Rule);

const approver = (id: string, digit: string) => ({
  id,
  credentials: [{ type: 'ed25519' as const, publicKey: digit.repeat(64) }],
});
const configure = (rules: readonly Rule[]) =>
  readConfiguration({
    ...makeConfiguration2(),
    clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: null }],
    clientGroups: [{ id: 'wallets', clients: ['backend'] }],
    keys: [{ id: 'ethereum-hot', type: 'secp256k1', networks: [MAINNET] }],
    approvers: [approver('ann', 'a'), approver('bob', 'b'), approver('eve', 'e')],
    approverGroups: [
      { id: 'treasurers', approvers: ['ann', 'bob'] },
      { id: 'security', approvers: ['eve'] },
    ],
    addressBooks: [
      { id: 'suppliers', network: MAINNET, entries: [{ label: 'Carol', address: CAROL }] },
      { id: 'blocked', network: MAINNET, entries: [] },
    ],
    rules,
  });

describe('docs/rules.md', () => {
  it.each(examples.map((rule) => [rule.id, rule] as const))('has a rule that is one: %s', (_, rule) => {
    expect(configure([rule]).rules).toEqual([rule]);
  });

  it('has rules that stand together and permit what their words say', () => {
    expect(examples.length).toBeGreaterThan(5);
    const policy = preparePolicy(configure(examples));
    const state = createPolicyState(policy, 0);
    const ether = 10n ** 18n;
    const pay = (amount: bigint, changes: object = {}) => {
      const effects = [effect({ amount, ...changes })];
      const asked = request(transaction({ effects, fee: { asset: ETHER, amount: ether / 1000n } }), {
        key: 'ethereum-hot',
      });
      return outcomeOf(decide(policy, asked, state, { now: NOON, monotonic: 0 }));
    };
    expect(pay(ether)).toBe('permitted small-payments');
    expect(pay(2n * ether)).toBe('pending large-payments');
    expect(pay(101n * ether)).toBe('POLICY_DENIED');
    expect(pay(ether, { to: `0x${'1'.repeat(40)}` })).toBe('POLICY_DENIED');
  });
});
