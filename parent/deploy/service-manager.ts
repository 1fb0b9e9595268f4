import { execFile } from 'node:child_process';
import { DeployError } from './errors.ts';
import { UNIT } from './layout.ts';

/** Deadline of a start: the unit's own TimeoutStartSec, and some more. */
const START_MS = 90_000;
/** Deadline of a stop: the unit's TimeoutStopSec, and some more. */
const STOP_MS = 60_000;
const ASK_MS = 20_000;
const MAX_OUTPUT_BYTES = 256 * 1024;

/** States of the unit, as systemd names them. */
export interface UnitState {
  /** `loaded`, or `not-found`. */
  readonly load: string;
  /** `active`, `inactive`, `failed`, `activating`, … */
  readonly active: string;
}

/** systemd, as far as it is asked for the parent's unit. All methods throw DeployError SYSTEMCTL_FAILED, SYSTEMCTL_MISSING. */
export interface ServiceManager {
  state(): Promise<UnitState>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Drives systemctl, which is found by PATH; arguments go to it as they are, without a shell. */
export function createServiceManager(program = 'systemctl'): ServiceManager {
  return {
    async state() {
      const output = await invoke(program, ['show', '--property=LoadState,ActiveState', UNIT], ASK_MS);
      const load = /^LoadState=([a-z-]+)$/m.exec(output)?.[1];
      const active = /^ActiveState=([a-z-]+)$/m.exec(output)?.[1];
      if (load === undefined || active === undefined) {
        throw new DeployError(
          'SYSTEMCTL_FAILED',
          'systemctl printed something else than the state of a unit',
        );
      }
      return { load, active };
    },
    async start() {
      // What was started too often is forgotten: a person, or a deployment, wants it now.
      await invoke(program, ['reset-failed', UNIT], ASK_MS).catch(ignoreFailure);
      await invoke(program, ['enable', '--quiet', UNIT], ASK_MS);
      await invoke(program, ['start', UNIT], START_MS);
    },
    async stop() {
      await invoke(program, ['stop', UNIT], STOP_MS);
    },
  };
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof DeployError && error.code === 'SYSTEMCTL_FAILED')) throw error;
}

function invoke(program: string, args: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' } as const;
    execFile(program, [...args], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT') {
        reject(new DeployError('SYSTEMCTL_MISSING', 'systemctl is not on the path', { program }, error));
      } else {
        const details = { command: args.join(' '), status: error.code, signal: error.signal };
        reject(new DeployError('SYSTEMCTL_FAILED', 'systemctl failed', details, error));
      }
    });
  });
}
