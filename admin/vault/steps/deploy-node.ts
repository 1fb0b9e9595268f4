import * as z from 'zod';
import { openConfiguration } from '../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { askAws } from '../../aws/index.ts';
import { roleOfNode } from '../index.ts';
import type { ConfigurationStep } from './configuration/newest.ts';
import type { StepContext } from './context.ts';
import {
  type DeploymentInputs,
  type DerivedDeployment,
  deriveDeployment,
  type StoreIdentity,
} from './deployment.ts';
import { StepError } from './errors.ts';
import { deployOnHost } from './host-command.ts';
import { needStatement, readManifestBytes } from './support.ts';

/** What `parent deploy --json` prints, as far as the steps believe it: nothing that decides rests on it. */
const resultSchema = z.looseObject({
  phase: z.enum(['serving', 'halted']),
  code: z.string().max(128).nullable(),
  attestation: z.base64().max(32_768).nullable(),
  identity: z
    .looseObject({
      store: z.string().regex(/^[0-9a-f]{64}$/),
      epoch: z.int().min(1),
      log: z.looseObject({ size: z.int().min(1) }),
    })
    .nullable(),
});
const refusalSchema = z.looseObject({
  error: z.looseObject({ code: z.string().max(128), details: z.unknown() }),
});

/** Where a node has come to rest after its deployment. */
export interface DeployedNode {
  readonly phase: 'serving' | 'halted';
  readonly code: string | null;
  /** Attestation document that nobody has verified yet; null where none was asked for. */
  readonly document: Uint8Array | null;
  readonly identity: StoreIdentity | null;
}

/** What differs between the deployments of one node in the ceremony. */
export interface DeployOrder {
  readonly node: number;
  /** Step whose statement has the configuration. */
  readonly configuration: ConfigurationStep;
  /** Nonce in hex; null for a node that is to serve. */
  readonly nonce: string | null;
  readonly identity: StoreIdentity | null;
}

/**
 * Uploads a deployment, whose name in the bucket is its digest, and has the host put it in force. A second time finds all
 * of it there.
 *
 * @throws StepError VAULT_DEPLOY_FAILED, VAULT_DEPLOY_MALFORMED, VAULT_STEP_UNFINISHED; AdminError AWS_…
 */
export async function deployNode(order: DeployOrder, context: StepContext): Promise<DeployedNode> {
  const { node } = order;
  const release = await context.release();
  const { facts: baseline } = await needStatement(context, 'infrastructure', 'baseline');
  const { facts: hosts } = await needStatement(context, 'infrastructure', 'hosts');
  const host = hosts.hosts.find((one) => one.node === node);
  if (host === undefined) throw new TypeError('expected the host of each node');
  const role = roleOfNode(node);
  const { facts: kms } = await needStatement(context, role, 'kms-stack');
  const stated = await needStatement(context, role, order.configuration);
  const [manifest, configuration] = [
    await readManifestBytes(context, node),
    await context.exchange.file(stated, 'configuration.json'),
  ];
  const deployment = deriveDeployment(context.vault, {
    ...order,
    image: release.image,
    pcrJson: release.pcrJson,
    manifest,
    configuration,
    bucket: kms.bucket,
    hosts: hosts.hosts,
    witnesses: readPeerWitnesses(configuration, manifest),
  });
  const { bucket, region } = baseline;
  const prefix = `deployments/${node}/${deployment.id}`;
  await upload(context, { bucket, region, prefix }, deployment, [
    { name: 'enclave.eif', read: () => release.readImage() },
    { name: 'pcr.json', read: () => Promise.resolve(release.pcrJson) },
    { name: 'manifest.json', read: () => Promise.resolve(manifest) },
    { name: 'configuration.json', read: () => Promise.resolve(configuration) },
  ]);
  const answer = await deployOnHost(
    { node, instanceId: host.instanceId, region },
    `s3://${bucket}/${prefix}`,
    context,
  );
  return readResult(node, answer);
}

/**
 * Reads who cosigns a node's log: the other nodes, by the keys that the node's own configuration names. What their admins state
 * of them later changes no other node's parent.
 *
 * @throws ConfigurationError CONFIGURATION_…
 */
function readPeerWitnesses(envelope: Uint8Array, manifest: Uint8Array): DeploymentInputs['witnesses'] {
  const { configuration } = openConfiguration(envelope, {
    manifest: parseManifest(manifest),
    digest: digestManifest(manifest),
  });
  const peers = 'quorum' in configuration ? (configuration.quorum?.peers ?? []) : [];
  return peers.flatMap(({ node, witness }) => (witness === undefined ? [] : [{ node, key: witness }]));
}

/**
 * Does the same on several hosts at once, and comes to an end on all of them before it fails for one.
 *
 * @throws the first failure
 */
export async function onAllHosts<Node, Result>(
  nodes: readonly Node[],
  act: (node: Node) => Promise<Result>,
): Promise<readonly Result[]> {
  const settled = await Promise.allSettled(nodes.map(act));
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

interface Place {
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
}

interface Upload {
  readonly name: string;
  readonly read: () => Promise<Uint8Array>;
}

/** Uploads what is not there yet; deployment.json last, so that a folder with it is whole. */
async function upload(
  context: StepContext,
  { bucket, region, prefix }: Place,
  deployment: DerivedDeployment,
  files: readonly Upload[],
): Promise<void> {
  const { HeadObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await context.aws.s3(region);
  const all = [...files, { name: 'deployment.json', read: () => Promise.resolve(deployment.bytes) }];
  for (const [index, { name, read }] of all.entries()) {
    context.progress(`uploading ${name}`, index, all.length);
    const Key = `${prefix}/${name}`;
    const options = { abortSignal: context.signal };
    const isThere = await askAws<boolean>(
      's3:HeadObject',
      client.send(new HeadObjectCommand({ Bucket: bucket, Key }), options).then(() => true),
      { NotFound: () => false, NoSuchKey: () => false },
    );
    if (isThere) continue;
    const command = new PutObjectCommand({ Bucket: bucket, Key, Body: await read() });
    await askAws('s3:PutObject', client.send(command, options));
  }
}

function readResult(node: number, answer: unknown): DeployedNode {
  const refusal = refusalSchema.safeParse(answer);
  if (refusal.success) {
    const { code, details } = refusal.data.error;
    throw new StepError('VAULT_DEPLOY_FAILED', 'the host has refused the deployment', {
      node,
      reason: code,
      said: JSON.stringify(details ?? {}).slice(0, 1000),
    });
  }
  const result = resultSchema.safeParse(answer);
  if (!result.success) {
    throw new StepError('VAULT_DEPLOY_MALFORMED', 'the host has not answered as "parent deploy" does', {
      node,
      field: result.error.issues[0]?.path.join('.'),
    });
  }
  const { phase, code, attestation, identity } = result.data;
  return {
    phase,
    code,
    document: attestation === null ? null : new Uint8Array(Buffer.from(attestation, 'base64')),
    identity:
      identity === null ? null : { store: identity.store, epoch: identity.epoch, logSize: identity.log.size },
  };
}
