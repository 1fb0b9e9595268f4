import { compareConfigurations, describeChanges } from '../../../../policy/index.ts';
import {
  type Configuration,
  type ConfigurationDocument2,
  readConfiguration,
} from '../../../../shared/documents/configuration.ts';
import { describeImagePcrs, type PlannedImage } from '../../../quorum/index.ts';
import { deriveAdministrationRules } from '../../derive/administration.ts';
import { deriveTenantMembers } from '../../derive/configuration.ts';
import type { VaultDocument } from '../../index.ts';

/** Lines of a change that a person is shown; its digest confirms the rest too. */
const MAX_SHOWN_LINES = 400;

/**
 * Makes the configuration that differs from another one in the images of the peers alone: people, keys and rules stay as the
 * node's authorities have signed them last.
 *
 * @param images that every peer may run from now on, in place of all that it may run now
 * @throws ConfigurationError CONFIGURATION_MALFORMED
 */
export function withImages(
  base: ConfigurationDocument2,
  version: number,
  images: readonly PlannedImage[],
): ConfigurationDocument2 {
  const { quorum, initialise: _order, ...rest } = base;
  const described = images.map(({ pcrs, notAfter }) => ({ pcrs: describeImagePcrs(pcrs), notAfter }));
  return asDocument({
    ...rest,
    version,
    ...(quorum === undefined
      ? {}
      : { quorum: { ...quorum, peers: quorum.peers.map((peer) => ({ ...peer, images: described })) } }),
  });
}

/**
 * Makes the configuration that differs from another one in what a description says of clients, people, keys and rules. Peers,
 * pools, orders to drop keys and everything else that no description has stay.
 *
 * @throws ConfigurationError CONFIGURATION_MALFORMED
 */
export function withRules(
  base: ConfigurationDocument2,
  version: number,
  description: VaultDocument,
): ConfigurationDocument2 {
  const { initialise: _order, recovery: _former, ...rest } = base;
  return asDocument({
    ...rest,
    version,
    clients: description.clients,
    ...deriveTenantMembers(description),
    rules: [...deriveAdministrationRules(description), ...description.tenant.rules],
  });
}

function asDocument(configuration: ConfigurationDocument2): ConfigurationDocument2 {
  readConfiguration(configuration);
  return configuration;
}

/** Says in words what a configuration changes of another one, as `config diff` does. */
export function describeDifference(before: Configuration, after: Configuration): readonly string[] {
  const lines = describeChanges(compareConfigurations(before, after), before.version).split('\n');
  const more = lines.length - MAX_SHOWN_LINES;
  return [
    ...lines.slice(0, MAX_SHOWN_LINES).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} lines more, which "holdfast config diff" shows`] : []),
  ];
}

/** Whether two configurations say the same, but for their versions and the order to initialise. */
export function saySame(one: ConfigurationDocument2, other: ConfigurationDocument2): boolean {
  const { initialise } = one;
  return (
    initialise === undefined &&
    compareConfigurations(one, other).length === 0 &&
    textOf(one) === textOf(other)
  );
}

/** Members in one order, without the version. */
function textOf({ version: _version, ...rest }: ConfigurationDocument2): string {
  return JSON.stringify(rest, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/**
 * Finds the keys that a node would lose: that the new configuration no longer names, names with another type or public key, or
 * has the node drop for good. Their owners can neither sign with them nor have them backed up any more.
 *
 * @returns ids
 */
export function findLostKeys(before: Configuration, after: Configuration): readonly string[] {
  const kept = new Map(after.keys.map((key) => [key.id, key]));
  const gone = before.keys.filter(({ id, type, publicKey }) => {
    const next = kept.get(id);
    return next?.type !== type || (publicKey !== undefined && next.publicKey !== publicKey);
  });
  const known = new Set((before.drop ?? []).map(({ publicKey }) => publicKey));
  const dropped = (after.drop ?? []).filter(({ publicKey }) => !known.has(publicKey));
  return [...new Set([...gone, ...dropped].map(({ id }) => id))];
}
