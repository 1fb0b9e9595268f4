import {
  CONFIGURATION_FORMAT_2,
  type ConfigurationDocument2,
  readConfiguration,
} from '../../../shared/documents/configuration.ts';
import type { Witnesses } from '../../../shared/documents/configuration/witnesses.ts';
import { type NodeManifest, planQuorum, type PlannedImage } from '../../quorum/index.ts';
import type { VaultDocument } from '../document.ts';
import { VaultError } from '../errors.ts';
import { deriveAdministrationGroups, deriveAdministrationRules } from './administration.ts';
import { findNode } from './manifest.ts';

/** Id of the order to initialise. A store seals it, and refuses any other order from then on. */
export const ORDER_ID = 'vault-first-start';

/** What a node's configuration is made from beside vault.yaml. */
export interface ConfigurationInputs {
  /** Version, from 1: greater than that of the configuration in force. */
  readonly version: number;
  /** Manifest of every node of the vault. */
  readonly manifests: readonly NodeManifest[];
  /** Images that nodes may run. */
  readonly images: readonly PlannedImage[];
  /** End of the order to start an empty store, RFC 3339 in UTC; null: no order, once the store is there. */
  readonly orderUntil: string | null;
  /** Log key and witness key of every node, as attested; empty until the nodes have them. */
  readonly verifierKeys?: readonly string[];
  /**
   * Whether outside witnesses and peers have to cosign already; false in the configuration by which peers learn of each
   * other's logs. True when left out.
   */
  readonly isCosigned?: boolean;
}

/**
 * Makes the configuration of one node: tenant, owners, and the other nodes as peers. The first one has the order to
 * initialise, the next one does not.
 *
 * @throws VaultError VAULT_MANIFEST_DIFFERS for manifests of another vault; AdminError of planQuorum;
 *   ConfigurationError CONFIGURATION_MALFORMED
 */
export function deriveConfiguration(
  document: VaultDocument,
  number: number,
  { version, manifests, images, orderUntil, verifierKeys = [], isCosigned = true }: ConfigurationInputs,
): ConfigurationDocument2 {
  findNode(document, number);
  const own = manifests.find(({ manifest }) => manifest.node === number);
  if (own?.manifest.namespace !== document.namespace || own.manifest.environment !== document.environment) {
    throw new VaultError('VAULT_MANIFEST_DIFFERS', 'the manifests are not those of this vault', {
      node: number,
    });
  }
  const configuration: ConfigurationDocument2 = {
    format: CONFIGURATION_FORMAT_2,
    version,
    manifest: own.digest,
    ...(orderUntil === null
      ? {}
      : { initialise: { id: ORDER_ID, notAfter: orderUntil, password: 'generated' as const } }),
    clients: document.clients,
    ...deriveTenantMembers(document),
    // Outside witnesses can follow a log once its node has started, and has a key for it.
    ...(orderUntil === null && isCosigned ? {} : { witnesses: null }),
    ...deriveQuorum(document, number, { manifests, images, verifierKeys, isCosigned }),
    rules: [...deriveAdministrationRules(document), ...document.tenant.rules],
  };
  readConfiguration(configuration);
  return configuration;
}

/** Derives the members that configurations of all nodes have alike, but for clients and rules. */
export function deriveTenantMembers(document: VaultDocument) {
  const { tenant, parts } = document;
  const { keys, approvers, approverGroups, addressBooks, recovery } = tenant;
  return {
    clientGroups: [...tenant.clientGroups, ...deriveAdministrationGroups(document)],
    keys,
    approvers,
    approverGroups,
    addressBooks,
    witnesses: deriveWitnesses(parts.witnesses),
    ...(recovery === undefined ? {} : { recovery }),
  };
}

/** Makes the members of a configuration of witnesses that vault.yaml names by their addresses, too. */
function deriveWitnesses(witnesses: VaultDocument['parts']['witnesses']): Witnesses | null {
  if (witnesses === null) return null;
  const { threshold, servers, maxUncosignedSeconds } = witnesses;
  return { threshold, keys: servers.map(({ key }) => key), maxUncosignedSeconds };
}

/** Writes a configuration as people read and sign it: the same document always gives the same bytes. */
export function encodeConfiguration(configuration: ConfigurationDocument2): Uint8Array {
  return new Uint8Array(Buffer.from(`${JSON.stringify(configuration, undefined, 2)}\n`));
}

function deriveQuorum(
  { nodes, parts: { peerWitnesses } }: VaultDocument,
  number: number,
  { manifests, images, verifierKeys = [], isCosigned }: Omit<ConfigurationInputs, 'version' | 'orderUntil'>,
): Pick<ConfigurationDocument2, 'quorum'> {
  // A node without peers is in no quorum.
  if (nodes.length === 1) return {};
  // Who cosigns is known by keys that nodes have only once they serve.
  const hasWitnesses = verifierKeys.length > 0 && isCosigned === true;
  const witnesses = peerWitnesses === null || !hasWitnesses ? {} : { witnesses: peerWitnesses };
  const planned = planQuorum(manifests, images, {
    servesAlone: [],
    refreshHours: null,
    keys: verifierKeys,
    ...witnesses,
  });
  const quorum = planned.find(({ node }) => node === number)?.quorum;
  return quorum === undefined ? {} : { quorum };
}
