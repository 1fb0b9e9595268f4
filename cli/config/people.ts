import { describeCredential } from '../../policy/index.ts';
import {
  CONFIGURATION_FORMAT_1,
  type Client,
  type Configuration,
  type Quorum,
} from '../../shared/documents/configuration.ts';

/** Describes a client in a line: the key that its requests are signed with, and who stands behind it. */
export function describeClient({ id, publicKey, person }: Client): string {
  return `    ${id}: key ${publicKey}${person === null ? '' : `; ${person} stands behind it and approves none of its requests`}`;
}

export function describeClientGroups({ clientGroups }: Configuration): string[] {
  return describeGroups(
    '  groups of clients',
    clientGroups.map(({ id, clients }) => ({ id, members: clients })),
  );
}

/** Describes the people who may approve, each with every credential that counts as theirs, and their groups. */
export function describeApprovers({ approvers, approverGroups }: Configuration): string[] {
  return [
    ...(approvers.length === 0 ? [] : ['  approvers']),
    ...approvers.flatMap(({ id, credentials }) =>
      credentials.map((credential) => `    ${id}: ${describeCredential(credential)}`),
    ),
    ...describeGroups(
      '  groups of approvers',
      approverGroups.map(({ id, approvers: members }) => ({ id, members })),
    ),
  ];
}

/** Describes the address books entry by entry: a rule that names a book pays to each of them. */
export function describeAddressBooks({ addressBooks }: Configuration): string[] {
  return addressBooks.flatMap(({ id, network, entries }) => [
    `  address book ${id} of ${network}${entries.length === 0 ? ': nobody' : ''}`,
    ...entries.map(({ label, address }) => `    ${address}  ${label}`),
  ]);
}

/** Describes the witnesses, outside ones and peers; nothing for format 1, which names none. */
export function describeWitnesses({ format, witnesses, quorum }: Configuration): string[] {
  const peers = describePeerWitnesses(quorum);
  if (witnesses === null) {
    if (format === CONFIGURATION_FORMAT_1) return [];
    return peers.length > 0
      ? peers
      : ['  witnesses none: a store that was rolled back as a whole is not noticed'];
  }
  const { threshold, keys, maxUncosignedSeconds: seconds } = witnesses;
  return [
    `  witnesses ${threshold} of ${keys.length} must cosign; without them the node signs ${seconds === 0 ? 'nothing' : `on for ${seconds} s`}`,
    ...keys.map((key) => `    ${key}`),
    ...peers,
  ];
}

/** Describes the nodes that must cosign, and the logs that this node cosigns. */
function describePeerWitnesses(quorum: Quorum | undefined): string[] {
  const followed = (quorum?.peers ?? []).flatMap(({ log }) => (log === undefined ? [] : [`    ${log}`]));
  const logs = followed.length === 0 ? [] : ['  cosigns the logs', ...followed];
  if (quorum?.witnesses === undefined) return logs;
  const { threshold, maxUncosignedSeconds: seconds, restart } = quorum.witnesses;
  const keys = quorum.peers.flatMap(({ witness }) => (witness === undefined ? [] : [`    ${witness}`]));
  return [
    `  peers ${threshold} of ${keys.length} must cosign; without them the node signs ${seconds === 0 ? 'nothing' : `on for ${seconds} s`}`,
    ...keys,
    ...(restart === undefined
      ? []
      : [
          `    until ${restart.notAfter} it starts without them from ${restart.size} entries with root ${restart.root}`,
        ]),
    ...logs,
  ];
}

function describeGroups(
  title: string,
  groups: readonly { readonly id: string; readonly members: readonly string[] }[],
): string[] {
  if (groups.length === 0) return [];
  return [title, ...groups.map(({ id, members }) => `    ${id}: ${members.join(', ')}`)];
}
