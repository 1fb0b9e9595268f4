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
    pools: [
      {
        id: 'canton',
        clients: ['backend'],
        types: ['p256', 'rsa-2048'],
        maximum: 16,
        descriptions: ['', 'participant-*'],
        aliases: [],
        deletionDays: 7,
      },
    ],
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

describe('docs/node-admin.md', () => {
  it('has a whole configuration of format 2 that permits what its words say', () => {
    const admin = readFileSync(new URL('../../docs/node-admin.md', import.meta.url), 'utf8');
    const blocks = [...admin.matchAll(/```json\n(.*?)\n```/gs)].map(([, text = '']) => text);
    const configuration = readConfiguration(
      JSON.parse(blocks.find((text) => text.includes('holdfast-configuration/2')) ?? ''),
    );
    const policy = preparePolicy(configuration);
    const state = createPolicyState(policy, 0);
    const ether = 10n ** 18n;
    const pay = (amount: bigint, to: string, days = 0) => {
      const asked = request(
        transaction({ effects: [effect({ amount, to })], fee: { asset: ETHER, amount: ether / 1000n } }),
        { key: 'ethereum-hot' },
      );
      const now = NOON + days * 86_400_000;
      return outcomeOf(decide(policy, asked, state, { now, monotonic: 0 }));
    };
    expect(pay(ether, CAROL)).toBe('permitted payments');
    expect(pay(ether + 1n, CAROL)).toBe('pending payments');
    expect(pay(100n * ether + 1n, CAROL)).toBe('POLICY_DENIED');
    expect(pay(1n, '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB')).toBe('RULE_DENIED');
    const weekend = [0, 1, 2, 3, 4, 5, 6].filter((days) => pay(1n, CAROL, days) === 'POLICY_DENIED');
    const denied = weekend.map((days) => new Date(NOON + days * 86_400_000).getUTCDay());
    expect(new Set(denied)).toEqual(new Set([0, 6]));
  });
});
