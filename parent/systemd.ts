import { setTimeout as sleep } from 'node:timers/promises';
import { errnoName, loadNative, type NativeAddon } from '../shared/native/addon.ts';
import type { Log } from './common/log.ts';

/** Messages of a service to systemd; none where systemd did not start it. */
export interface ServiceManager {
  ready(): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /** Ends the watchdog's messages. */
  close(): void;
}

/** Attempts to send a message: systemd's queue is hundreds long, and may be full of others' messages. */
const ATTEMPTS = 50;
const BETWEEN_ATTEMPTS_MS = 100;

/**
 * Speaks sd_notify(3) from this very process, so that the unit's NotifyAccess=main is enough and no helper is started.
 * Where WatchdogSec= is set, a message goes out at every third of it, from the event loop, so that a loop that hangs is
 * noticed. A message that does not get through is logged: systemd then acts by the unit's own deadlines.
 */
export function connectServiceManager(
  environment: Readonly<NodeJS.ProcessEnv>,
  log: Log,
  load: () => Pick<NativeAddon, 'notify'> = loadNative,
): ServiceManager {
  const address = environment['NOTIFY_SOCKET'];
  const notify = address === undefined ? () => Promise.resolve() : createNotify(address, log, load);
  const watchdogMs = watchdogOf(environment);
  const timer =
    address !== undefined && watchdogMs > 0
      ? setInterval(() => void notify('WATCHDOG=1'), watchdogMs / 3).unref()
      : undefined;
  return {
    ready: () => notify('READY=1'),
    reloading: () => notify(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => notify('STOPPING=1'),
    close: () => clearInterval(timer),
  };
}

/** Milliseconds of the watchdog; 0 where there is none, or it means another process: sd_watchdog_enabled(3). */
function watchdogOf(environment: Readonly<NodeJS.ProcessEnv>): number {
  const { WATCHDOG_PID: pid, WATCHDOG_USEC: microseconds = '' } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return 0;
  return /^[1-9][0-9]{0,14}$/.test(microseconds) ? Number(microseconds) / 1_000 : 0;
}

function createNotify(address: string, log: Log, load: () => Pick<NativeAddon, 'notify'>) {
  return async (message: string): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        load().notify(address, message);
        return;
      } catch (error) {
        const code = errnoName(error) ?? 'INTERNAL';
        if (code !== 'EAGAIN' || attempt === ATTEMPTS) {
          log('error', 'systemd.not-notified', { code });
          return;
        }
      }
      await sleep(BETWEEN_ATTEMPTS_MS);
    }
  };
}
