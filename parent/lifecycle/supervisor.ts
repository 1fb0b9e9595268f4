import { setTimeout as setTimer } from 'node:timers/promises';
import { errorCode } from '../../shared/errors.ts';
import type { Log } from '../common/log.ts';
import { SILENT_AFTER_MS, steadyClock, type NodeStatus } from '../status/node-status.ts';
import { EnclaveError, type EnclaveErrorCode } from './errors.ts';
import type { ImageMeasurements } from './image.ts';
import type { EnclaveSpec, NitroCli, RunningEnclave } from './nitro-cli.ts';
import { codeOf, decideRestart, type EnclaveEnd } from './restart-decision.ts';

export interface SupervisorOptions {
  readonly nitro: NitroCli;
  readonly spec: EnclaveSpec;
  /** Measures the image before each start. @throws EnclaveError ENCLAVE_IMAGE_UNEXPECTED */
  readonly checkImage: () => Promise<ImageMeasurements>;
  /** Status that the node reported last. */
  readonly node: () => NodeStatus | null;
  /** Called when the enclave is gone, before another one is started. */
  readonly onEnd: () => void;
  readonly log: Log;
  /** Terminates and restarts an enclave that runs and reports nothing; otherwise the silence is only shown. */
  readonly restartWhenSilent?: boolean;
  /** Milliseconds without a report after which an enclave counts as silent; 60,000 when left out. */
  readonly silentAfterMs?: number;
  /** Milliseconds between two looks at the enclave; 5,000 when left out. */
  readonly pollMs?: number;
  /** Waits a number of milliseconds, or rejects when `signal` is aborted; the system's timer when left out. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Monotonic clock in milliseconds; {@link steadyClock} when left out. */
  readonly clock?: () => number;
}

/** State of the supervisor. `halted`: the enclave would end the same way again, and waits for a person. */
export type SupervisorState =
  | { readonly state: 'starting' | 'stopped' }
  | { readonly state: 'running'; readonly id: string; readonly since: number }
  /**
   * nitro-cli lists the enclave as running, and it has reported nothing since `since`: it hangs, or cannot reach its
   * parent.
   */
  | { readonly state: 'silent'; readonly id: string; readonly since: number }
  /** The enclave starts again at `until`, after `endsInARow` ends since it last served for a while. */
  | {
      readonly state: 'waiting';
      readonly code: string;
      readonly until: number;
      readonly endsInARow: number;
    }
  | { readonly state: 'halted'; readonly code: string };

export interface Supervisor {
  readonly current: SupervisorState;
  /** Count of starts so far. */
  readonly starts: number;
  /** Stops watching; with `terminate`, terminates the enclave too. */
  stop(options: { readonly terminate: boolean }): Promise<void>;
}

/** Milliseconds of service after which an enclave counts as healthy again. */
const HEALTHY_AFTER_MS = 5 * 60_000;
const POLL_MS = 5_000;
/** Folder in which nitro-cli writes a file for each of its errors. */
const NITRO_LOGS = '/var/log/nitro_enclaves';

const sleepOnTimer = (ms: number, signal: AbortSignal) => setTimer(ms, undefined, { signal, ref: false });

/** Starts the enclave, or finds it running, watches it, and starts it again where a restart can help. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { nitro, log, pollMs = POLL_MS, clock = steadyClock, sleep = sleepOnTimer } = options;
  const { restartWhenSilent = false, silentAfterMs = SILENT_AFTER_MS } = options;
  const stopping = new AbortController();
  let current: SupervisorState = { state: 'starting' };
  let starts = 0;
  let endsInARow = 0;
  /**
   * Beginning of the enclave's present life: taken before nitro-cli is asked for a start, since init may end before
   * nitro-cli returns.
   */
  let bornAt = clock();

  const pause = (ms: number) => sleep(ms, stopping.signal).catch(() => {});

  /** Finds or starts the enclave, and returns its id. */
  async function ensureRunning(): Promise<string> {
    const measurements = await options.checkImage();
    const existing = (await nitro.describe()).find(({ cid }) => cid === options.spec.cid);
    if (existing?.isRunning === true) {
      assertOurs(existing, measurements, options.spec.debug);
      log('info', 'enclave.found', { id: existing.id });
      return existing.id;
    }
    starts += 1;
    bornAt = clock();
    const id = await nitro.run(options.spec);
    log('info', 'enclave.started', { id });
    return id;
  }

  /** Status that the node reported in its present life. */
  function lastWords(): NodeStatus | null {
    const status = options.node();
    return status !== null && status.heardAt >= bornAt ? status : null;
  }

  /** Shows whether the enclave reports: one that has not begun to, or serves, does so all the time. */
  function lookForSilence(id: string, since: number): boolean {
    const status = lastWords();
    const heardAt = Math.max(status?.heardAt ?? 0, since);
    const isSilent = (status === null || status.phase === 'serving') && clock() - heardAt > silentAfterMs;
    if (isSilent && current.state !== 'silent') log('error', 'enclave.silent', { id });
    current = isSilent ? { state: 'silent', id, since: heardAt } : { state: 'running', id, since };
    return isSilent;
  }

  /** Waits until the enclave is gone. */
  async function watch(id: string): Promise<EnclaveEnd> {
    const since = clock();
    current = { state: 'running', id, since };
    while (!stopping.signal.aborted) {
      await pause(pollMs);
      if (clock() - since > HEALTHY_AFTER_MS && options.node()?.phase === 'serving') endsInARow = 0;
      // A failed `describe-enclaves` says nothing about the enclave.
      const running = await nitro.describe().catch(() => undefined);
      if (running !== undefined && !running.some((one) => one.id === id && one.isRunning)) break;
      if (lookForSilence(id, since) && restartWhenSilent && !stopping.signal.aborted) {
        await nitro.terminate(id);
        return { type: 'silent' };
      }
    }
    return failureOfThisLife() ?? { type: 'vanished' };
  }

  function failureOfThisLife(): EnclaveEnd | undefined {
    const status = lastWords();
    return status?.phase === 'failed' && status.code !== null
      ? { type: 'failed', code: status.code }
      : undefined;
  }

  async function runOnce(): Promise<EnclaveEnd> {
    try {
      const id = await ensureRunning();
      const endConsole = options.spec.debug ? nitro.followConsole(id, log) : undefined;
      try {
        return await watch(id);
      } finally {
        endConsole?.();
      }
    } catch (error) {
      if (!(error instanceof EnclaveError) || error.code.startsWith('ENCLAVE_')) throw error;
      // The exit line of init says more than nitro-cli, which only misses init's heartbeat.
      const failure = failureOfThisLife();
      if (failure !== undefined) return failure;
      const { nitro: nitroCode } = error.details;
      const code = typeof nitroCode === 'string' ? (`NITRO_${nitroCode}` as const) : nitroFault(error.code);
      return { type: 'not-started', code };
    }
  }

  async function supervise(): Promise<void> {
    while (!stopping.signal.aborted) {
      current = { state: 'starting' };
      bornAt = clock();
      const end = await runOnce();
      if (stopping.signal.aborted) return;
      endsInARow += 1;
      options.onEnd();
      const decision = decideRestart(end, endsInARow);
      const code = codeOf(end);
      const hasLogs = end.type === 'not-started' && end.code !== 'NITRO_CLI_MISSING';
      const more = hasLogs ? { see: NITRO_LOGS } : {};
      if (decision.action === 'halt') {
        current = { state: 'halted', code: decision.code };
        log('error', 'enclave.halted', { code: decision.code, ...more });
        return;
      }
      current = { state: 'waiting', code, until: clock() + decision.afterMs, endsInARow };
      log('warn', 'enclave.ended', { code, endsInARow, afterMs: decision.afterMs, ...more });
      await pause(decision.afterMs);
    }
  }

  const supervised = supervise().catch((error: unknown) => {
    current = { state: 'halted', code: errorCode(error) };
    log('error', 'enclave.halted', { code: errorCode(error) });
  });

  return {
    get current() {
      return current;
    },
    get starts() {
      return starts;
    },
    async stop({ terminate }) {
      stopping.abort();
      await supervised;
      if (terminate && (current.state === 'running' || current.state === 'silent'))
        await nitro.terminate(current.id);
      if (current.state !== 'halted') current = { state: 'stopped' };
    },
  };
}

function nitroFault(code: EnclaveErrorCode): 'NITRO_CLI_FAILED' | 'NITRO_CLI_MISSING' {
  return code === 'NITRO_CLI_MISSING' ? code : 'NITRO_CLI_FAILED';
}

/** Asserts that an enclave is the expected image. @throws EnclaveError ENCLAVE_FOREIGN */
function assertOurs(enclave: RunningEnclave, expected: ImageMeasurements, debug: boolean): void {
  const isExpected = [...expected].every(([index, value]) => enclave.measurements.get(index) === value);
  if (enclave.isDebug !== debug || !isExpected) {
    throw new EnclaveError('ENCLAVE_FOREIGN', 'another enclave has this CID', {
      id: enclave.id,
      cid: enclave.cid,
    });
  }
}
