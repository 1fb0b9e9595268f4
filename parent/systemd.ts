import { execFile } from 'node:child_process';
import type { Log } from './log.ts';

/** What a service tells systemd: nothing at all where it was not started by it. */
export interface ServiceManager {
  ready(): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /** Ends the watchdog's messages. */
  close(): void;
}

/**
 * Speaks sd_notify(3) through the systemd-notify program, since Node has no datagram sockets in the Unix domain. The
 * unit needs NotifyAccess=all for that. Where WatchdogSec= is set, a message goes out at every third of it, from the
 * event loop, so that a loop that hangs is noticed.
 */
export function connectServiceManager(environment: NodeJS.ProcessEnv, log: Log): ServiceManager {
  const isManaged = environment['NOTIFY_SOCKET'] !== undefined;
  const notify = (...assignments: string[]): Promise<void> =>
    isManaged
      ? new Promise((resolve) => {
          execFile('systemd-notify', assignments, { timeout: 5_000 }, (error) => {
            if (error !== null) log('warn', 'systemd.not-notified');
            resolve();
          });
        })
      : Promise.resolve();
  const watchdogMs = Number(environment['WATCHDOG_USEC']) / 1_000;
  const timer =
    isManaged && watchdogMs > 0
      ? setInterval(() => void notify('WATCHDOG=1'), watchdogMs / 3).unref()
      : undefined;
  return {
    ready: () => notify('--ready', `--pid=${process.pid}`),
    reloading: () => notify('--reloading'),
    stopping: () => notify('--stopping'),
    close: () => clearInterval(timer),
  };
}
