import { readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { ParentConfig } from '../config/schema.ts';
import type { RuntimeIdentity } from '../identity/identity.ts';
import type { NitroCli } from '../lifecycle/nitro-cli.ts';
import { removeDocument, unsafeReadDocument } from './admission.ts';
import { awaitNode, readParentState, type SettledNode } from './await-node.ts';
import type { Deployment } from '../../shared/deployment/index.ts';
import { DeployError } from './errors.ts';
import {
  type FetchedDocument,
  fetchDocument,
  fetchFiles,
  isWhole,
  readInstalled,
  totalBytes,
} from './fetch.ts';
import { readHostSettings } from './host-settings.ts';
import {
  forgetSettled,
  type InForce,
  noteSettled,
  noteStoreFormat,
  readFormer,
  readInForce,
  readStoreFormat,
  removeOthers,
  switchTo,
} from './in-force.ts';
import { deploymentPath, type HostLayout, statePaths } from './layout.ts';
import { takeLock } from './lock.ts';
import { type ParentFile, renderParentFile } from './parent-file.ts';
import { assertRoom, assertUnit, prepareFolders } from './preconditions.ts';
import type { ServiceManager } from './service-manager.ts';
import { takeSnapshot } from './snapshots.ts';
import type { DeploymentSource } from './source.ts';
import { assertTold, inspectStore, readNoted, type StoreExpectation } from './store-inspection.ts';
import { assertNotOlder, type VerifiedDeployment, verifyDeployment } from './verify.ts';

export interface DeployOptions {
  readonly layout: HostLayout;
  /** Place of the files; undefined goes back to the former deployment on this host. */
  readonly source: DeploymentSource | undefined;
  readonly manager: ServiceManager;
  readonly nitro: Pick<NitroCli, 'describe' | 'terminate'>;
  /** Milliseconds that the node may take to serve or to halt. */
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Called with what is done now, in words; with the share that is done where that is known. */
  readonly onProgress: (words: string, share?: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

/** Outcome of a deployment. */
export interface DeployResult {
  readonly phase: SettledNode['phase'];
  /** Why the node halted; null where it serves. */
  readonly code: string | null;
  /** False where the deployment was in force already. */
  readonly changed: boolean;
  /** False where the node was left as it is. */
  readonly restarted: boolean;
  readonly deployment: string;
  /** Deployment to which `--previous` goes back; null where there is none. */
  readonly previous: string | null;
  /** Attestation document that the image made for the nonce, base64; null where none was asked for. */
  readonly attestation: string | null;
  /** Where clients reach the node; null where none are let in. */
  readonly url: string | null;
  /** Identity of the store; null before it was started. */
  readonly identity: RuntimeIdentity | null;
  /** Path of the snapshot that was taken before the image was changed; null where none was. */
  readonly snapshot: string | null;
}

/**
 * Puts a deployment in force on this host: fetched, verified, installed whole or not at all, restarted and waited for. A run
 * that was cut off at any place leaves the former deployment in force or the new one, and is ended by the next run.
 * @throws DeployError, IdentityError, RecordStoreError, EnclaveError: the former deployment is in force, and runs again; after
 * DEPLOYMENT_NOT_SETTLED, DEPLOYMENT_PARENT_FAILED and a SYSTEMCTL_… of the start the new one is
 */
export async function deploy(options: DeployOptions): Promise<DeployResult> {
  const { layout, manager, onProgress } = options;
  await prepareFolders(layout);
  using _lock = takeLock(join(layout.own, 'lock.sqlite'));
  await assertUnit(manager);
  const settings = await readHostSettings(layout.hostFile);
  const former = await readInForce(layout);
  const document = await fetchAll(options);
  const { id, deployment } = document;
  onProgress('verifying the files');
  const verified = await verifyDeployment(layout, id, deployment);
  const file = renderParentFile(id, deployment, settings, layout);
  const isInForce = former.document?.id === id && former.text === file.text;
  const plan: Plan = { options, document, verified, file, former, keep: settings.snapshots };
  if (isInForce && former.settled === id && (await manager.state()).active === 'active') {
    const settled = await settle(plan);
    const outcome = await describe(plan, settled, { changed: false, restarted: false, snapshot: null });
    // A node that has halted waits for a person, who has mended something and says so by this run.
    if (settled.phase === 'serving' || outcome.attestation !== null) return outcome;
    onProgress('starting the node again');
    await manager.stop();
    await manager.start();
    return await describe(plan, await settle(plan), { ...outcome, restarted: true });
  }
  const expectation = await expectationOf(plan);
  await refuseEarly(plan, expectation);
  const snapshot = await install(plan, expectation);
  onProgress('starting the parent');
  await manager.start();
  const settled = await settle(plan);
  await noteSettled(layout, id);
  await removeOthers(layout, [id, await readFormer(layout)]);
  return await describe(plan, settled, { changed: true, restarted: true, snapshot });
}

interface Plan {
  readonly options: DeployOptions;
  readonly document: FetchedDocument;
  readonly verified: VerifiedDeployment;
  readonly file: ParentFile;
  readonly former: InForce;
  /** Number of snapshots that are kept. */
  readonly keep: number;
}

/** Brings the files of a deployment onto the disk. */
async function fetchAll({ layout, source, onProgress }: DeployOptions): Promise<FetchedDocument> {
  if (source === undefined) {
    const id = await readFormer(layout);
    const document = id === undefined ? undefined : await readInstalled(layout, id);
    if (
      document === undefined ||
      !(await isWhole(join(layout.deployments, document.id), document.bytes, document.deployment))
    ) {
      throw new DeployError('DEPLOYMENT_NO_PREVIOUS', 'there is no former deployment on this host');
    }
    return document;
  }
  const document = await fetchDocument(source);
  await assertRoom(layout.etc, totalBytes(document.deployment));
  await fetchFiles(source, document, layout, (done, total) =>
    onProgress('fetching the files', { done, total }),
  );
  return document;
}

async function expectationOf({ options, document, file }: Plan): Promise<StoreExpectation> {
  const { id, deployment } = document;
  return {
    deployment,
    configuration: await readFile(deploymentPath(options.layout, id, 'configuration.json')),
    noted: await readNoted(file.config),
  };
}

/** Refuses by what the running parent says of its store, before anything is stopped. */
async function refuseEarly(plan: Plan, expectation: StoreExpectation): Promise<void> {
  const state = await readParentState(statusUrl(plan.file.config));
  const found = state?.identity?.current;
  if (found === null || found === undefined) return;
  await assertTold(found, expectation);
  await assertStoreFits(plan, found);
}

async function assertStoreFits(
  { options, document, verified }: Plan,
  found: RuntimeIdentity | null,
): Promise<void> {
  assertNotOlder(document.deployment, verified.signed, found, await readStoreFormat(options.layout));
}

/**
 * Stops the node, looks at its store, takes a snapshot where the image changes, and puts the deployment in force. Where the
 * store is refused, the former deployment runs again.
 * @returns path of the snapshot
 */
async function install(plan: Plan, expectation: StoreExpectation): Promise<string | null> {
  const { options, document, file, former } = plan;
  const { layout, manager, onProgress } = options;
  const wasActive = (await manager.state()).active === 'active';
  const change = changeOf(document.deployment, former.document?.deployment);
  onProgress('stopping the node');
  await manager.stop();
  try {
    const snapshot = await inspectStore(file.config, expectation, async (store) => {
      await assertStoreFits(plan, store?.identity ?? null);
      if (store === null || !change.image) return null;
      onProgress('taking a snapshot of the store');
      await assertRoom(layout.snapshots, await storeBytes(file.config));
      return await takeSnapshot(store.session, store.identity, {
        folder: layout.snapshots,
        keep: plan.keep,
        now: options.clock(),
      });
    });
    if (change.enclave) await terminateEnclave(options, file.config.enclave.cid);
    await forgetSettled(layout);
    await noteStoreFormat(layout, document.deployment.storeFormat);
    await removeDocument(statePaths(layout).admission);
    await switchTo(layout, document.id, file.text, former);
    return snapshot;
  } catch (error) {
    // The refusal is what a person has to know, whether or not the former deployment starts again.
    if (wasActive) await manager.start().catch(() => onProgress('the former deployment does not start again'));
    throw error;
  }
}

/** What a deployment changes of the former one: an enclave goes on where nothing of its own is another. */
function changeOf(next: Deployment, former: Deployment | undefined): { image: boolean; enclave: boolean } {
  const differs = (name: keyof Deployment['files']) => former?.files[name].sha384 !== next.files[name].sha384;
  const image = differs('enclave.eif');
  const resources = JSON.stringify(former?.parent.enclave) !== JSON.stringify(next.parent.enclave);
  const documents = differs('manifest.json') || differs('configuration.json') || former?.nonce !== next.nonce;
  return { image, enclave: image || resources || documents };
}

async function terminateEnclave({ nitro }: DeployOptions, cid: number): Promise<void> {
  for (const enclave of await nitro.describe()) {
    if (enclave.cid === cid) await nitro.terminate(enclave.id);
  }
}

async function settle({ options, file }: Plan): Promise<SettledNode> {
  const { manager, timeoutMs, onProgress, signal } = options;
  return await awaitNode({
    url: statusUrl(file.config),
    manager,
    timeoutMs,
    onPhase: (phase) => onProgress(phase),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function describe(
  { options, document, file }: Plan,
  { phase, code, state }: SettledNode,
  { changed, restarted, snapshot }: Pick<DeployResult, 'changed' | 'restarted' | 'snapshot'>,
): Promise<DeployResult> {
  const { layout } = options;
  const { id, deployment } = document;
  const attestation = await unsafeReadDocument(statePaths(layout).admission, deployment.nonce);
  const former = await readFormer(layout);
  return {
    phase,
    code,
    changed,
    restarted,
    deployment: id,
    previous: former === id ? null : (former ?? null),
    attestation: attestation === null ? null : Buffer.from(attestation).toString('base64'),
    url: urlOf(file.config),
    identity: state.identity?.current ?? (await readNoted(file.config)),
    snapshot,
  };
}

function statusUrl({ status }: ParentConfig): string {
  if (status === undefined) throw new TypeError('expected a status page in every deployment');
  const { host, port } = status.listen;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** URL at which clients reach the node: by the first address of this machine that others may use. */
function urlOf({ ingress }: ParentConfig): string | null {
  if (ingress === undefined) return null;
  const { host, port } = ingress.listen;
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const address = host === '0.0.0.0' || host === '::' ? (own ?? host) : host;
  return `https://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

async function storeBytes({ store }: ParentConfig): Promise<number> {
  return 'sqlite' in store ? (await stat(store.sqlite)).size : 0;
}
