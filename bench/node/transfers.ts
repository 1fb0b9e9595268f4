import { serializeTransaction } from 'viem';
import type { ConfigurationBody2 } from '../../local/testbed/index.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import type { ConfiguredClient } from './stack.ts';

const HOUR_MS = 3_600_000;
const NETWORK = 'eip155:1';
const ETHER = `${NETWORK}/slip44:60`;
const KEY = 'secp256k1';
const ALGORITHM = 'ecdsa-secp256k1';
const FINNEY = 10n ** 15n;
/** Addresses of the book; each has the checksum of EIP-55, from its test cases. */
const RECIPIENTS = [
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
] as const;

/** A signature by digest of the key that signs transfers. */
export const DIGEST: SignRequest = {
  key: KEY,
  algorithm: ALGORITHM,
  payload: { kind: 'digest', digest: 'ab'.repeat(32) },
};

/** Makes EIP-1559 transfers to the address book, each with a nonce and an amount of its own. */
export function makeTransfers(count: number): SignRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const to = RECIPIENTS[index % RECIPIENTS.length];
    if (to === undefined) throw new RangeError('expected a recipient');
    const transaction = serializeTransaction({
      type: 'eip1559',
      chainId: 1,
      nonce: index,
      maxPriorityFeePerGas: FINNEY / 1_000_000n,
      maxFeePerGas: FINNEY / 50_000n,
      gas: 21_000n,
      to,
      value: FINNEY + BigInt(index),
    }).slice(2);
    return { key: KEY, algorithm: ALGORITHM, payload: { kind: 'ethereum-transaction', transaction } };
  });
}

/**
 * Makes a configuration that permits digests without a limit, and transfers to an address book below an amount, a fee
 * and an accumulation.
 */
export function makeTransferConfiguration(clients: readonly ConfiguredClient[]): ConfigurationBody2 {
  const common = {
    effect: 'permit' as const,
    operations: ['sign' as const],
    clients: clients.map(({ id }) => id),
    keys: [KEY],
    algorithms: [ALGORITHM as 'ecdsa-secp256k1'],
    networks: null,
    time: null,
    features: [],
    gas: null,
    nonce: null,
    approvals: null,
    tiers: [],
    rate: null,
  };
  const anything = { to: null, assets: null, contracts: null, amount: null };
  return {
    format: 'holdfast-configuration/2',
    version: 1,
    initialise: {
      id: 'first-start',
      notAfter: new Date(Date.now() + HOUR_MS).toISOString(),
      password: 'generated',
    },
    clients: clients.map((client) => ({ ...client, person: null })),
    clientGroups: [],
    keys: [{ id: KEY, type: 'secp256k1', networks: [NETWORK] }],
    approvers: [],
    approverGroups: [],
    addressBooks: [
      {
        id: 'recipients',
        network: NETWORK,
        entries: RECIPIENTS.map((address, index) => ({ label: `recipient ${index}`, address })),
      },
    ],
    witnesses: null,
    rules: [
      {
        ...common,
        id: 'digests',
        payloads: ['digest'],
        effects: [{ ...anything, type: 'blind' }],
        fee: null,
        limits: [],
      },
      {
        ...common,
        id: 'transfers',
        payloads: ['ethereum-transaction'],
        networks: [NETWORK],
        effects: [
          {
            type: 'transfer',
            to: { books: ['recipients'], addresses: [] },
            assets: [ETHER],
            contracts: null,
            amount: { min: null, max: String(10n * FINNEY) },
          },
        ],
        fee: { asset: ETHER, max: String(FINNEY), maxShareBasisPoints: null },
        limits: [{ id: 'day', asset: ETHER, max: '9'.repeat(40), seconds: 86_400, per: 'key', fees: true }],
      },
    ],
  };
}
