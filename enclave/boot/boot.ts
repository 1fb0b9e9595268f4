import { errorCode } from '../../shared/errors.ts';
import { openConfiguration } from '../../shared/node/configuration.ts';
import type { NodePhase } from '../../shared/protocol/control.ts';
import { type ControlClient, createControlClient } from '../../shared/protocol/control-client.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { type Api, startApi } from '../api/index.ts';
import { Keyring } from '../keyring/index.ts';
import { createNsmClient, type NsmClient } from '../nsm/index.ts';
import { createKms, createRecipient, type Kms } from '../unlock/index.ts';
import { type NodeClock, startNodeClock } from './clock.ts';
import { admitConfiguration, assertCurrent } from './configuration.ts';
import { measureManifest } from './manifest.ts';
import type { Platform } from './platform.ts';
import { unlockStore } from './unlock-store.ts';
import { keepSayingServing } from './still-serving.ts';

/** How long the parent may take to hear about the end; the node does not outlive it. */
const LAST_WORD_MS = 2_000;
const EGRESS_TIMEOUT_MS = 5_000;

/**
 * When each part of the start was done, in milliseconds since the boot began; `program` is how long the process had
 * been loading by then. From `attested` to `decrypted` is the round trip to KMS.
 */
export type BootTimes = Readonly<Record<string, number>>;

export interface RunningNode {
  readonly times: BootTimes;
  /**
   * Rejects when the node can no longer go on, and then has cleared its keys: another enclave has taken its store.
   * Resolves after {@link stop}.
   */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a node, phase by phase. Any error is final: keys are cleared, the parent is told the code and nothing more,
 * and the error is thrown for the entry to end the process with (P50).
 */
export async function bootNode(platform: Platform): Promise<RunningNode> {
  const control = createControlClient(platform.transport);
  const nsm = createNsmClient(platform.nsm);
  try {
    return await runPhases(platform, control, nsm);
  } catch (error) {
    await sayLastWord(control, 'failed', errorCode(error));
    control.close();
    nsm.close();
    throw error;
  }
}

async function runPhases(platform: Platform, control: ControlClient, nsm: NsmClient): Promise<RunningNode> {
  const started = performance.now();
  const times: Record<string, number> = { program: roundTime(started) };
  const mark = (name: string) => {
    times[name] = roundTime(performance.now() - started);
  };
  const enter = async (phase: NodePhase) => {
    await control.reportStatus(phase, null);
  };

  await platform.checkHost();
  const recipient = createRecipient();
  // It is awaited where it is needed; until then a failure must not count as unhandled.
  recipient.then(
    () => mark('rsaKey'),
    () => undefined,
  );
  await nsm.describe();
  const clock = await startNodeClock(nsm, platform.systemClock);
  await enter('starting');
  mark('starting');

  await enter('measuring');
  const measured = await measureManifest(nsm, await control.manifest());
  await showForAdmission(control, nsm);
  mark('measuring');

  await enter('configuring');
  const signed = openConfiguration(await control.configuration(), measured);
  assertCurrent(signed.configuration, clock.now());
  mark('configuring');

  await enter('unlocking');
  const { manifest } = measured;
  const kms = createKms({
    manifest,
    roots: platform.kmsRoots,
    dial: (target) => openEgress(platform.transport, target, { timeoutMs: EGRESS_TIMEOUT_MS }),
    credentials: () => control.credentials(),
    attest: async (publicKey) => {
      const document = await nsm.attest({ publicKey });
      mark('attested');
      return document;
    },
    clockOffsetMs: clock.offsetMs,
  });
  const store = await unlockStore({
    keeper: control,
    kms: onAnswer(kms, () => mark('decrypted')),
    manifest,
    configuration: signed.configuration,
    recipient,
    now: clock.now(),
  }).finally(() => kms.close());
  mark('unlocking');

  await enter('opening');
  const admission = admitConfiguration(store, signed);
  const keyring = await Keyring.open(store, platform.curves, signed.configuration.keys, admission);
  mark('opening');

  let api: Api | undefined;
  try {
    api = await startApi(platform.transport, { nsm, clock, measured, signed, keyring });
    // It is asked from now on, and a request may find that the node cannot go on before the parent has taken note.
    await Promise.race([enter('serving'), api.failed]);
    mark('serving');
    return run({ api, keyring, clock, control, nsm, times });
  } catch (error) {
    await api?.close();
    keyring.destroy();
    throw error;
  }
}

const roundTime = (milliseconds: number) => Math.round(milliseconds * 10) / 10;

/** The same, telling when an answer has been opened. */
function onAnswer(kms: Kms, tell: () => void): Kms {
  const pass = <T>(answer: T) => {
    tell();
    return answer;
  };
  return {
    ...kms,
    decrypt: async (...input) => pass(await kms.decrypt(...input)),
    generateDataKey: async (...input) => pass(await kms.generateDataKey(...input)),
  };
}

/**
 * An admin who is to admit this image wants to see it attest before KMS lets it decrypt: with the manifest measured, and
 * with the admin's own nonce. What comes of it is for others to judge.
 */
async function showForAdmission(control: ControlClient, nsm: NsmClient): Promise<void> {
  const nonce = await control.admissionNonce();
  if (nonce !== null) await control.publishAdmission(await nsm.attest({ nonce }));
}

interface RunningParts {
  readonly api: Api;
  readonly keyring: Keyring;
  readonly clock: NodeClock;
  readonly control: ControlClient;
  readonly nsm: NsmClient;
  readonly times: BootTimes;
}

function run({ api, keyring, clock, control, nsm, times }: RunningParts): RunningNode {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const fallSilent = keepSayingServing(control);
  let isStopping = false;
  async function stop(phase: 'stopped' | 'failed', code: string | null): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    fallSilent();
    await api.close();
    keyring.destroy();
    clock.close();
    await sayLastWord(control, phase, code);
    control.close();
    nsm.close();
  }
  api.failed.catch(async (error: unknown) => {
    await stop('failed', errorCode(error));
    reject(error);
  });
  return {
    times,
    ended,
    stop: async () => {
      await stop('stopped', null);
      resolve();
    },
  };
}

async function sayLastWord(control: ControlClient, phase: NodePhase, code: string | null): Promise<void> {
  const said = control.reportStatus(phase, code).catch(() => undefined);
  await Promise.race([said, new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS).unref())]);
}
