import { kmsHost } from '../../../shared/aws/kms-host.ts';
import { DEPLOYMENT_FORMAT, deploymentId, encodeDeployment } from '../../../shared/deployment/index.ts';
import { databaseOf, partSecretReference } from '../derive/part-secrets.ts';
import { WITNESS_PORT } from '../derive/stacks.ts';
import { digestOf, type Facts } from '../exchange/index.ts';
import { describeRole, roleOfNode, type VaultDocument } from '../index.ts';
import { measureManifest } from '../derive/manifest.ts';
import { postgresOf } from '../parts.ts';

/** Ports of every host, as the stacks open them. */
const CLIENT_PORT = 8443;
const PEER_PORT = 7443;
const KMS_PORT = 443;
/** Where the bucket of a KMS stack lets the host append its log. */
const LOG_PREFIX = 'log/';
/** Format of the root record that images of this version write: enclave/store/SPEC.md. */
const STORE_FORMAT = 3;

/** Least that the store of a node must be. */
export type StoreIdentity = Facts<'start'>['nodes'][number]['identity'];

/** File of a deployment: its digest and length, and where its bytes come from. */
export interface DeploymentFile {
  readonly sha384: string;
  readonly bytes: number;
}

/** What one host is to run. */
export interface DeploymentInputs {
  readonly node: number;
  readonly image: DeploymentFile;
  readonly pcrJson: Uint8Array;
  readonly manifest: Uint8Array;
  /** Signed envelope. */
  readonly configuration: Uint8Array;
  /** Nonce in hex for which the image attests before it asks KMS; null where nobody waits for that. */
  readonly nonce: string | null;
  /** Null before the first start of the store. */
  readonly identity: StoreIdentity | null;
  /** Bucket of the node's KMS stack, which gets a copy of its log. */
  readonly bucket: string;
  /** Address of every host, by the number of its node. */
  readonly hosts: Facts<'hosts'>['hosts'];
  /** Nodes that cosign this one's log, and whose logs it cosigns, with the verifier keys by which they do. */
  readonly witnesses: readonly { readonly node: number; readonly key: string }[];
}

/** deployment.json of one host, and its id. */
export interface DerivedDeployment {
  /** SHA-256 of the bytes, hex: the last part of its address. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * Makes the deployment of one node: what its host is to run, and the settings of the parent. The same inputs always make
 * the same bytes.
 *
 * @throws DeploymentError DEPLOYMENT_MALFORMED
 *
 * Source: shared/deployment/SPEC.md
 */
export function deriveDeployment(vault: VaultDocument, inputs: DeploymentInputs): DerivedDeployment {
  const { node, image, pcrJson, manifest, configuration, nonce, identity, bucket, hosts, witnesses } = inputs;
  const { region } = describeRole(vault, roleOfNode(node));
  const bytes = encodeDeployment({
    format: DEPLOYMENT_FORMAT,
    namespace: vault.namespace,
    environment: vault.environment,
    node,
    files: {
      'enclave.eif': image,
      'pcr.json': describeFile(pcrJson),
      'manifest.json': describeFile(manifest),
      'configuration.json': describeFile(configuration),
    },
    manifestPcr: measureManifest(manifest).pcr16,
    nonce,
    storeFormat: STORE_FORMAT,
    identity,
    parent: {
      enclave: {},
      region,
      secrets: null,
      postgres: derivePostgres(vault, node),
      egress: { allowlist: [{ host: kmsHost(region), port: KMS_PORT }] },
      ingress: { listen: endpoint('0.0.0.0', CLIENT_PORT) },
      peers: derivePeers(vault, node, hosts),
      approvals: null,
      witness: witnesses.length === 0 ? null : { listen: endpoint('0.0.0.0', WITNESS_PORT) },
      auditLog: { witnesses: deriveWitnesses(vault, hosts, witnesses), s3: { bucket, prefix: LOG_PREFIX } },
      log: 'info',
    },
  });
  return { id: deploymentId(bytes), bytes };
}

/** Derives where the parent keeps records: null on its own disk. */
function derivePostgres(vault: VaultDocument, node: number) {
  const postgres = postgresOf(vault.parts);
  if (postgres === null) return null;
  const { host, port, ca } = postgres;
  const name = databaseOf(vault, node);
  return {
    host,
    port,
    database: name,
    user: name,
    password: partSecretReference(vault, 'postgres', node),
    ca,
    node: roleOfNode(node),
  };
}

/** Derives the way to the other nodes: by NATS, or from parent to parent; null for a node alone. */
function derivePeers(vault: VaultDocument, node: number, hosts: DeploymentInputs['hosts']) {
  const others = hosts.filter((host) => host.node !== node);
  if (others.length === 0) return null;
  const { namespace, environment, parts } = vault;
  if (parts.nats === null) {
    const nodes = others.map((host) => ({ node: host.node, address: endpoint(host.address, PEER_PORT) }));
    return { node, nodes, listen: endpoint('0.0.0.0', PEER_PORT) };
  }
  const { servers, ca, replicas, credentials } = parts.nats;
  return {
    node,
    nodes: others.map((host) => ({ node: host.node })),
    nats: {
      servers,
      namespace,
      environment,
      ca,
      identity: partSecretReference(vault, 'natsIdentity', node),
      ...(credentials ? { credentials: partSecretReference(vault, 'natsCredentials', node) } : {}),
      replicas,
    },
  };
}

/** Derives where the parent has its node's log cosigned: by outside witnesses, and at the doors of the other hosts. */
function deriveWitnesses(
  { parts }: VaultDocument,
  hosts: DeploymentInputs['hosts'],
  peers: DeploymentInputs['witnesses'],
) {
  return [
    ...(parts.witnesses?.servers ?? []),
    ...peers.map(({ node, key }) => {
      const host = hosts.find((one) => one.node === node);
      if (host === undefined) throw new TypeError('expected the host of each node');
      return { url: `http://${endpoint(host.address, WITNESS_PORT)}`, key };
    }),
  ];
}

/** Writes an address and a port as a parent's settings have them. */
export function endpoint(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** URL at which clients reach the node of a host. */
export function nodeUrl(address: string): string {
  return `https://${endpoint(address, CLIENT_PORT)}`;
}

function describeFile(bytes: Uint8Array): DeploymentFile {
  return { sha384: digestOf(bytes), bytes: bytes.length };
}
