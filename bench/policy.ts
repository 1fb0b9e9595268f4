/**
 * Decisions of a policy with 1,000 rules, in one thread: `node bench/policy.ts [--rules N] [--seconds N] [--json FILE]`.
 * All rules name the client and the key that ask, which no index helps with, and differ in the destination alone.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createPolicyState, decide, type PolicyRequest, preparePolicy } from '../policy/index.ts';
import type { Transaction } from '../policy/transactions/index.ts';
import { readConfiguration } from '../shared/documents/configuration.ts';

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const RULES = Number(values.rules);
const NETWORK = 'eip155:1';
const ETHER = `${NETWORK}/slip44:60`;
const addressOf = (index: number) => `0x${index.toString(16).padStart(40, '0')}`;

const NOTHING = {
  networks: [NETWORK],
  time: null,
  features: [],
  gas: null,
  nonce: null,
  approvals: null,
  tiers: [],
};
const permit = (index: number, keys: string[]) => ({
  ...NOTHING,
  id: `rule-${index}`,
  effect: 'permit',
  operations: ['sign'],
  clients: ['backend'],
  keys,
  algorithms: ['ecdsa-secp256k1'],
  payloads: ['ethereum-transaction'],
  effects: [
    {
      type: 'transfer',
      to: { books: [], addresses: [`${NETWORK}:${addressOf(index)}`] },
      assets: [ETHER],
      contracts: null,
      amount: { min: null, max: '1000000000000000000' },
    },
  ],
  fee: { asset: ETHER, max: '1000000000000000000', maxShareBasisPoints: null },
  limits: [
    { id: `limit-${index}`, asset: ETHER, max: '9'.repeat(70), seconds: 86_400, per: 'key', fees: true },
  ],
  rate: null,
});

function prepare(rules: readonly object[]) {
  const policy = preparePolicy(
    readConfiguration({
      format: 'holdfast-configuration/2',
      version: 1,
      manifest: '00'.repeat(48),
      clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: null }],
      clientGroups: [],
      keys: ['hot', 'other'].map((id) => ({ id, type: 'secp256k1', networks: [NETWORK] })),
      approvers: [],
      approverGroups: [],
      addressBooks: [],
      witnesses: null,
      rules,
    }),
  );
  return { policy, state: createPolicyState(policy, 0) };
}

const transferTo = (index: number): PolicyRequest => {
  const transaction: Transaction = {
    kind: 'ethereum-transaction',
    network: NETWORK,
    source: null,
    effects: [
      {
        type: 'transfer',
        to: addressOf(index),
        asset: ETHER,
        amount: 5n,
        contract: null,
        selector: null,
        details: {},
      },
    ],
    fee: { asset: ETHER, amount: 2n },
    nonce: 1n,
    gas: 21_000n,
    features: [],
    details: {},
  };
  return {
    operation: 'sign',
    client: 'backend',
    key: 'hot',
    algorithm: 'ecdsa-secp256k1',
    payload: 'ethereum-transaction',
    transaction,
  };
};

const NOW = Date.UTC(2026, 11, 1);
const figures: Record<string, { median: number; p99: number }> = {};

function measure(name: string, rules: readonly object[], request: PolicyRequest, outcome: string): void {
  const { policy, state } = prepare(rules);
  const times: number[] = [];
  const end = performance.now() + Number(values.seconds) * 1000;
  for (let now = NOW; performance.now() < end; now += 1) {
    const start = process.hrtime.bigint();
    const decision = decide(policy, request, state, { now, monotonic: now });
    times.push(Number(process.hrtime.bigint() - start) / 1000);
    if (decision.outcome !== outcome) throw new Error(`expected ${outcome}, found ${decision.outcome}`);
  }
  // The first two hundred are those of code that is not compiled yet.
  const sorted = times.slice(200).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  figures[name] = { median: at(0.5), p99: at(0.99) };
  console.log(
    `${name.padEnd(60)} ${at(0.5).toFixed(1).padStart(8)} µs median ${at(0.99).toFixed(1).padStart(8)} µs p99`,
  );
}

const all = Array.from({ length: RULES }, (_, index) => permit(index, ['hot']));
const spread = all.map((rule, index) => (index < RULES - 10 ? { ...rule, keys: ['other'] } : rule));
measure('one rule', [permit(0, ['hot'])], transferTo(0), 'permitted');
measure(`${RULES} rules, 10 of them of the key`, spread, transferTo(RULES - 1), 'permitted');
measure(`${RULES} rules of one client and key, the last permits`, all, transferTo(RULES - 1), 'permitted');
measure(`${RULES} rules of one client and key, none permits`, all, transferTo(RULES), 'denied');
if (values.json) writeFileSync(values.json, JSON.stringify(figures, undefined, 2));
