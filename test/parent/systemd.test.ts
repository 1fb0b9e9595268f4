import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { silentLog } from '../../parent/log.ts';
import { connectServiceManager } from '../../parent/systemd.ts';

let directory: string;
let said: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-systemd-'));
  said = join(directory, 'said');
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\necho "$@" >> '${said}'\n`);
  chmodSync(program, 0o755);
  vi.stubEnv('PATH', `${directory}:${process.env['PATH']}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const lines = () => (existsSync(said) ? readFileSync(said, 'utf8').trimEnd().split('\n') : []);

describe('towards systemd', () => {
  test('a service says when it is ready, reloads and stops', async () => {
    const manager = connectServiceManager({ NOTIFY_SOCKET: '/run/systemd/notify' }, silentLog);
    await manager.ready();
    await manager.reloading();
    await manager.stopping();
    manager.close();
    expect(lines()).toEqual([`--ready --pid=${process.pid}`, '--reloading', '--stopping']);
  });

  test('a service shows that it is alive as often as its watchdog asks', async () => {
    const environment = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '300000' };
    const manager = connectServiceManager(environment, silentLog);
    await expect
      .poll(() => lines().filter((line) => line === 'WATCHDOG=1').length, { timeout: 5_000 })
      .toBeGreaterThan(2);
    manager.close();
  });

  test('a program that systemd did not start says nothing', async () => {
    const manager = connectServiceManager({ WATCHDOG_USEC: '30000' }, silentLog);
    await manager.ready();
    await manager.stopping();
    manager.close();
    expect(lines()).toEqual([]);
  });
});
