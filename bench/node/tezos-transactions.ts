import { bytesToHex } from '@noble/hashes/utils.js';
import { hashKey, printKeyHash } from '../../policy/transactions/tezos/index.ts';
import type { ConfigurationBody2 } from '../../local/testbed/index.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import type { ConfiguredClient } from './stack.ts';

const HOUR_MS = 3_600_000;
const NETWORK = 'tezos:NetXdQprcVkpaWU';
const TEZ = `${NETWORK}/slip44:1729`;
export const TEZOS_KEY = 'tz1';

/** Writes a natural number as Octez does. */
function natural(value: number): string {
  let text = '';
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) text += ((rest % 128) + 128).toString(16);
  return text + rest.toString(16).padStart(2, '0');
}

/** Makes transfers of an Ed25519 key to one account, each with a counter and an amount of its own. */
export function makeTezosTransactions(
  publicKey: Uint8Array,
  count: number,
): { readonly hash: string; readonly requests: readonly SignRequest[] } {
  const key = hashKey({ tag: 0, bytes: publicKey });
  const source = `00${bytesToHex(key.bytes)}`;
  const requests = Array.from({ length: count }, (_, index): SignRequest => {
    const fields = [1_420, 1_000 + index, 1_040_000, 257, 1_000_000 + index].map(natural).join('');
    const operation = `03${'2d'.repeat(32)}6c${source}${fields}0000${'6b'.repeat(20)}00`;
    return { key: TEZOS_KEY, algorithm: 'ed25519', payload: { kind: 'tezos-operation', operation } };
  });
  return { hash: printKeyHash(key), requests };
}

/** Makes a configuration that permits transfers below an amount and a fee. */
export function makeTezosConfiguration(clients: readonly ConfiguredClient[]): ConfigurationBody2 {
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
    keys: [{ id: TEZOS_KEY, type: 'ed25519', networks: [NETWORK] }],
    approvers: [],
    approverGroups: [],
    addressBooks: [],
    witnesses: null,
    rules: [
      {
        id: 'transfers',
        effect: 'permit',
        operations: ['sign'],
        clients: clients.map(({ id }) => id),
        keys: [TEZOS_KEY],
        algorithms: ['ed25519'],
        payloads: ['tezos-operation'],
        networks: [NETWORK],
        time: null,
        effects: [
          {
            type: 'transfer',
            to: null,
            assets: [TEZ],
            contracts: null,
            amount: { min: null, max: '100000000' },
          },
        ],
        features: [],
        fee: { asset: TEZ, max: '1000000', maxShareBasisPoints: null },
        gas: null,
        nonce: null,
        limits: [],
        approvals: null,
        tiers: [],
        rate: null,
      },
    ],
  };
}
