import {
  MAINNET_CHAIN,
  attestation,
  header,
  preattestation,
} from '../../policy/transactions/tezos/consensus-samples.ts';
import {
  ACCOUNTS,
  call,
  type Content,
  EVERY_KIND,
  forge,
  manager,
  OTHER,
  PROTOCOL,
  SOURCE,
  TZ4,
} from '../../policy/transactions/tezos/samples.ts';
import type { ModelRequest } from './signatory-model.ts';

/** A request in bytes, and what Signatory's parser calls it. */
export interface SampleRequest extends Omit<ModelRequest, 'client'> {
  readonly name: string;
  readonly payload: { readonly kind: 'tezos-operation' | 'tezos-consensus'; readonly operation: string };
}

export const MAINNET_NAME = 'NetXdQprcVkpaWU';
const GHOSTNET_CHAIN = 'af1864d9';
/** Base58Check of those four bytes. */
export const GHOSTNET_NAME = 'NetXnHfVqm9iesp';

const STAKING = new Set(['stake', 'unstake', 'finalize_unstake', 'set_delegate_parameters']);

/** Names an operation as Signatory does, from the JSON that was forged. */
function nameOf(content: Content): string {
  if (content.kind === 'ballot') return `ballot:${String(content['ballot'])}`;
  const { entrypoint } = (content['parameters'] ?? {}) as { entrypoint?: string };
  const isOwn = content['destination'] === content['source'];
  return content.kind === 'transaction' && isOwn && STAKING.has(entrypoint ?? '')
    ? String(entrypoint)
    : content.kind;
}

/** Groups of operations: each kind alone, each vote, and batches of several. */
const GROUPS: readonly (readonly Content[])[] = [
  ...Object.values(EVERY_KIND).map((content) => [content]),
  ...['yay', 'nay', 'pass'].map((ballot) => [
    { kind: 'ballot', source: SOURCE, period: 3, proposal: PROTOCOL, ballot },
  ]),
  [call('ballot', { prim: 'Unit' })],
  [call('stake', { prim: 'Unit' })],
  [call('update_consensus_key', { prim: 'Unit' })],
  [{ kind: 'origination', ...manager(), balance: '0', script: script() }],
  [
    { kind: 'reveal', ...manager(41), public_key: ACCOUNTS.ed25519.publicKey },
    { kind: 'transaction', ...manager(42), amount: '5', destination: OTHER },
    { kind: 'delegation', ...manager(43), delegate: TZ4 },
  ],
  [
    { kind: 'transaction', ...manager(41), amount: '5', destination: OTHER },
    {
      kind: 'transaction',
      ...manager(42),
      amount: '5',
      destination: SOURCE,
      parameters: { entrypoint: 'stake', value: { prim: 'Unit' } },
    },
  ],
];

function script() {
  const { script } = EVERY_KIND['origination'] as unknown as { script: unknown };
  return script;
}

/** Every request for each of the three accounts. */
export async function listRequests(): Promise<readonly SampleRequest[]> {
  const requests: SampleRequest[] = [];
  for (const { address, publicKey } of Object.values(ACCOUNTS)) {
    for (const group of GROUPS) {
      const contents = JSON.parse(
        JSON.stringify(group)
          .replaceAll(SOURCE, address)
          .replaceAll(`"public_key":"${ACCOUNTS.ed25519.publicKey}"`, `"public_key":"${publicKey}"`),
      ) as Content[];
      const operations = contents.map(nameOf);
      requests.push({
        name: `${address} ${operations.join('+')}`,
        key: address,
        kind: 'generic',
        operations,
        payload: { kind: 'tezos-operation', operation: `03${await forge(...contents)}` },
      });
    }
    for (const [chain, bytes] of [
      [MAINNET_NAME, MAINNET_CHAIN],
      [GHOSTNET_NAME, GHOSTNET_CHAIN],
    ] as const) {
      const consensus: readonly [string, string][] = [
        ['block', header({}, bytes)],
        ['preattestation', preattestation({}, bytes)],
        ['attestation', await attestation({}, bytes)],
        ['attestation_with_dal', await attestation({ dal: 5 }, bytes)],
      ];
      for (const [kind, operation] of consensus) {
        requests.push({
          name: `${address} ${kind} on ${chain}`,
          key: address,
          kind,
          operations: [],
          chain,
          payload: { kind: 'tezos-consensus', operation },
        });
      }
    }
  }
  return requests;
}
