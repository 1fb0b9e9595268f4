import { randomBytes } from 'node:crypto';
import { errorCode } from '../../shared/errors.ts';
import { createSuites } from '../../shared/frost/index.ts';
import { openConfiguration } from '../../shared/documents/configuration.ts';
import type { NodePhase } from '../../shared/protocol/control.ts';
import { type ControlClient, createControlClient } from '../../shared/protocol/control-client.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { createLogClient } from '../../shared/protocol/log-client.ts';
import { type Api, startApi } from '../api/index.ts';
import { Keyring } from '../keyring/index.ts';
import { appendBootEntry, awaitWitnesses, readPeerWitnesses, TransparencyLog } from '../log/index.ts';
import { PoolKeys } from '../pools/index.ts';
import { createNsmClient, type NsmClient } from '../nsm/index.ts';
import { BackupRegister } from '../recovery/index.ts';
import { isPeerlessRestart, WitnessedTrees } from '../quorum/witness/index.ts';
import { restoreDecisionState } from '../signing/index.ts';
import { createKms, createRecipient } from '../unlock/index.ts';
import { type NodeClock, startNodeClock } from '../node/clock.ts';
import { admitConfiguration, assertCurrent } from '../node/configuration.ts';
import { logOrigin, measureManifest } from '../node/manifest.ts';
import type { Platform } from '../node/platform.ts';
import type { OpenPeerNetwork } from '../peers/index.ts';
import { openPeers } from './open-peers.ts';
import { unlockStore } from './unlock-store.ts';
import { startHeartbeat } from './heartbeat.ts';

/** Milliseconds that the parent may take to acknowledge the final status before the node ends without it. */
const FINAL_STATUS_MS = 2_000;
const EGRESS_TIMEOUT_MS = 5_000;
const SESSION_BYTES = 16;
const BOOT_ENTROPY_BYTES = 32;

/** Receives the progress of a start; nothing in the node depends on it. */
export interface BootObserver {
  /** Called when a phase begins and the parent knows it, and so when the phase before it has ended. */
  readonly onPhase: (phase: NodePhase) => void;
  /** Called when the RSA key that KMS encrypts to has been made. */
  readonly onRecipient: () => void;
}

const NO_OBSERVER: BootObserver = { onPhase: () => undefined, onRecipient: () => undefined };

export interface RunningNode {
  /**
   * Rejects when the node has stopped by itself, its keys cleared: another enclave has taken its store, or may have.
   * Resolves after {@link stop}.
   */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a node, phase by phase. Any error is final: keys are cleared, the parent is told the code and nothing else,
 * and the entry ends the process with the error.
 */
export async function bootNode(platform: Platform, observer = NO_OBSERVER): Promise<RunningNode> {
  const control = createControlClient(platform.transport);
  const nsm = createNsmClient(platform.nsm);
  try {
    return await runPhases(platform, { control, nsm, observer });
  } catch (error) {
    await reportFinalStatus(control, 'failed', errorCode(error));
    control.close();
    nsm.close();
    throw error;
  }
}

interface BootParts {
  readonly control: ControlClient;
  readonly nsm: NsmClient;
  readonly observer: BootObserver;
}

async function runPhases(platform: Platform, { control, nsm, observer }: BootParts): Promise<RunningNode> {
  const enter = async (phase: NodePhase) => {
    await control.reportStatus(phase, null);
    observer.onPhase(phase);
  };

  await platform.checkHost();
  const recipient = createRecipient();
  // The unlocking phase awaits the key; a failure before that must not count as an unhandled rejection.
  recipient.then(observer.onRecipient, () => undefined);
  await nsm.describe();
  const clock = await startNodeClock(nsm, platform.systemClock);
  await enter('starting');

  await enter('measuring');
  const measured = await measureManifest(nsm, await control.manifest());
  await attestForAdmission(control, nsm);

  await enter('configuring');
  const envelope = await control.configuration();
  const signed = openConfiguration(envelope, measured);
  assertCurrent(signed.configuration, clock.now());

  await enter('unlocking');
  const { manifest } = measured;
  const kms = createKms({
    manifest,
    roots: platform.kmsRoots,
    dial: (target) => openEgress(platform.transport, target, { timeoutMs: EGRESS_TIMEOUT_MS }),
    credentials: () => control.credentials(),
    attest: (publicKey) => nsm.attest({ publicKey }),
    clockOffsetMs: clock.offsetMs,
  });
  const { store, nodeKeys } = await unlockStore({
    storage: control,
    passwords: {
      generate: async () => kms.generateDataKey(await recipient),
      decrypt: async (blob) => kms.decrypt(blob, await recipient),
    },
    manifest,
    configuration: signed.configuration,
    now: clock.now(),
  }).finally(() => kms.close());

  await enter('opening');
  const admitted = admitConfiguration(store.state, signed);
  const { keys, drop } = signed.configuration;
  const session = randomBytes(SESSION_BYTES).toString('hex');
  const entropy = await nsm.random(BOOT_ENTROPY_BYTES);
  const isPeerless = isPeerlessRestart(signed.configuration, store.state.log, clock.now());
  const boot = appendBootEntry({ store, measured, signed, session, now: clock.now(), entropy });
  const arithmetic = { suites: createSuites(platform.groups), random: randomBytes };
  const { curves } = platform;
  const now = () => clock.now();
  const poolKeys = await PoolKeys.restore(store, { configuration: signed.configuration, curves, now });
  const keyring = await Keyring.open(store, curves, keys, admitted, drop, boot, arithmetic).catch(
    (error: unknown) => {
      poolKeys.destroy();
      throw error;
    },
  );

  const client = createLogClient(platform.transport);
  const peerClient = createLogClient(platform.transport);
  const closeClients = () => {
    client.close();
    peerClient.close();
  };
  let api: Api | undefined;
  let peers: OpenPeerNetwork | null = null;
  let log: TransparencyLog | undefined;
  try {
    await poolKeys.sealDeletions(store);
    const { witnesses } = signed.configuration;
    // Nothing waits for the other nodes: where they are not reachable, this one serves what it may serve alone.
    peers = openPeers(platform, { nsm, clock, measured, signed, session, nodeKeys });
    const state = await restoreDecisionState(store, { signed, measured, now: () => clock.now() });
    const witnessed = await WitnessedTrees.restore(store);
    const backups = await BackupRegister.restore(store, manifest.emergencyRecovery.publicKey);
    const peerWitnesses = readPeerWitnesses(signed.configuration);
    const origin = logOrigin(manifest);
    log = new TransparencyLog({
      store,
      origin,
      key: nodeKeys.log,
      client,
      witnesses,
      peers: peerWitnesses,
      peerClient,
    });
    for (const source of [...state.sources, witnessed, poolKeys, backups]) log.addSource(source);
    if (witnesses !== null || peerWitnesses.group !== null) {
      await enter('witnessing');
      await awaitWitnesses(log, { isPeerless });
    }
    api = await startApi(platform.transport, {
      nsm,
      clock,
      measured,
      signed,
      keyring,
      poolKeys,
      session,
      log,
      nodeKeys,
      state,
      witnessed,
      backups,
      envelope,
      peers,
    });
    // Requests arrive from now on, and one of them may end the node before the parent has acknowledged the status.
    await Promise.race([enter('serving'), api.failed]);
    return run({ api, keyring, poolKeys, clock, control, nsm, log, closeClients, peers });
  } catch (error) {
    log?.close();
    await api?.close();
    peers?.close();
    closeClients();
    keyring.destroy();
    poolKeys.destroy();
    throw error;
  }
}

/**
 * Attests for an admin who waits to decide whether KMS shall admit this image, with the manifest measured and the
 * admin's nonce. The admin verifies the document; the start of the node does not depend on the outcome.
 */
async function attestForAdmission(control: ControlClient, nsm: NsmClient): Promise<void> {
  const nonce = await control.admissionNonce();
  if (nonce !== null) await control.publishAdmission(await nsm.attest({ nonce }));
}

interface RunningParts {
  readonly api: Api;
  readonly keyring: Keyring;
  readonly poolKeys: PoolKeys;
  readonly clock: NodeClock;
  readonly control: ControlClient;
  readonly nsm: NsmClient;
  readonly log: TransparencyLog;
  readonly closeClients: () => void;
  readonly peers: OpenPeerNetwork | null;
}

function run({
  api,
  keyring,
  poolKeys,
  clock,
  control,
  nsm,
  log,
  closeClients,
  peers,
}: RunningParts): RunningNode {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const stopHeartbeat = startHeartbeat(control, { alert: () => api.backupAlert });
  let isStopping = false;
  async function stop(phase: 'stopped' | 'failed', code: string | null): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    stopHeartbeat();
    await api.close();
    peers?.close();
    log.close();
    closeClients();
    keyring.destroy();
    poolKeys.destroy();
    clock.close();
    await reportFinalStatus(control, phase, code);
    control.close();
    nsm.close();
  }
  api.failed.catch(async (error: unknown) => {
    await stop('failed', errorCode(error));
    reject(error);
  });
  return {
    ended,
    stop: async () => {
      await stop('stopped', null);
      resolve();
    },
  };
}

async function reportFinalStatus(
  control: ControlClient,
  phase: NodePhase,
  code: string | null,
): Promise<void> {
  const reported = control.reportStatus(phase, code).catch(() => undefined);
  await Promise.race([reported, new Promise((resolve) => setTimeout(resolve, FINAL_STATUS_MS).unref())]);
}
