import { describeCredential } from '../../policy/index.ts';
import {
  CONFIGURATION_FORMAT_1,
  type Client,
  type Configuration,
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

/** Describes the witnesses; nothing for format 1, which names none. */
export function describeWitnesses({ format, witnesses }: Configuration): string[] {
  if (witnesses === null) {
    return format === CONFIGURATION_FORMAT_1
      ? []
      : ['  witnesses none: a store that was rolled back as a whole is not noticed'];
  }
  const { threshold, keys, maxUncosignedSeconds: seconds } = witnesses;
  return [
    `  witnesses ${threshold} of ${keys.length} must cosign; without them the node signs ${seconds === 0 ? 'nothing' : `on for ${seconds} s`}`,
    ...keys.map((key) => `    ${key}`),
  ];
}

function describeGroups(
  title: string,
  groups: readonly { readonly id: string; readonly members: readonly string[] }[],
): string[] {
  if (groups.length === 0) return [];
  return [title, ...groups.map(({ id, members }) => `    ${id}: ${members.join(', ')}`)];
}
