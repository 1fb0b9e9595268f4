import { decideTransactions } from './decision-configuration.ts';
import type { Identity } from './identity.ts';
import { makeQuorumMember, makeQuorumRules, type NamedNode, QUORUM_KEYS } from './quorum-configuration.ts';
import { DEMO_KEYS, DEMO_RULES } from './scenario.ts';
import type { ConfigurationBody2, TestNode } from './test-node.ts';

/** Lifetime of the order in milliseconds: long, because the key policy ends its use here. */
const ORDER_MS = 365 * 86_400_000;

/** What the configuration of a local node is made from. */
export interface LocalConfigurationInput {
  readonly member: Pick<TestNode, 'client'>;
  /** Other nodes of its quorum; none for a single node. */
  readonly others: readonly NamedNode[];
  /** PCR0, PCR1 and PCR2 of the image that all nodes run. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly clientId: string;
  readonly approvers: readonly Identity[];
  /** How many of the others must cosign what leaves the node; left out: none has to. */
  readonly witnesses?: NonNullable<ConfigurationBody2['quorum']>['witnesses'];
}

/**
 * Makes the first configuration of a local node: transfers are decided by what they do, large ones need two approvals,
 * and the keys of a quorum may be generated, refreshed and used.
 */
export function localConfiguration(input: LocalConfigurationInput): ConfigurationBody2 {
  const { member, others, pcrs, clientId, approvers, witnesses } = input;
  const isQuorum = others.length > 0;
  const body = decideTransactions(
    {
      version: 1,
      initialise: {
        id: 'first-start',
        notAfter: new Date(Date.now() + ORDER_MS).toISOString(),
        password: 'generated',
      },
      clients: [{ id: clientId, publicKey: member.client.publicKey }],
      keys: [...DEMO_KEYS, ...(isQuorum ? QUORUM_KEYS : [])],
      rules: [...DEMO_RULES, ...(isQuorum ? makeQuorumRules(clientId) : [])],
    },
    { client: clientId, approvers, witnesses: null },
  );
  if (!isQuorum) return body;
  const images = [{ pcrs, notAfter: null }];
  return {
    ...body,
    quorum: makeQuorumMember(
      others,
      images,
      DEMO_KEYS.map(({ id }) => id),
      witnesses,
    ),
  };
}
