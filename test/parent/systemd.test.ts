import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog, type Log } from '../../parent/common/log.ts';
import { connectServiceManager } from '../../parent/systemd.ts';
import { receiveNotices, type NoticeReceiver } from '../native/notice-receiver.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const hasAddon = existsSync(join(import.meta.dirname, '../../build/holdfast.node'));

describe.skipIf(!hasAddon)('towards systemd', () => {
  let directory: string;
  let address: string;
  let systemd: NoticeReceiver;
  beforeEach(async () => {
    directory = temporaryFolder();
    address = join(directory, 'notify');
    systemd = await receiveNotices(address);
  });
  afterEach(async () => {
    await systemd.close();
  });

  test('a service says when it is ready, reloads and stops', async () => {
    const before = process.hrtime.bigint() / 1_000n;
    const manager = connectServiceManager({ NOTIFY_SOCKET: address }, silentLog);
    await manager.ready();
    await manager.reloading();
    await manager.stopping();
    manager.close();
    await systemd.until(3);
    const [ready, reloading = '', stopping] = systemd.notices;
    expect([ready, stopping]).toEqual(['READY=1', 'STOPPING=1']);
    const since = /^RELOADING=1\nMONOTONIC_USEC=([0-9]+)$/.exec(reloading)?.[1] ?? '0';
    expect(BigInt(since)).toBeGreaterThanOrEqual(before);
  });

  test('a service shows that it is alive as often as its watchdog asks', async () => {
    const environment = {
      NOTIFY_SOCKET: address,
      WATCHDOG_USEC: '300000',
      WATCHDOG_PID: String(process.pid),
    };
    const manager = connectServiceManager(environment, silentLog);
    await systemd.until(3);
    manager.close();
    expect(new Set(systemd.notices)).toEqual(new Set(['WATCHDOG=1']));
  });

  test.each([
    ['another process', { WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' }],
    ['no time that there is', { WATCHDOG_USEC: '-5' }],
    ['nothing', {}],
  ])('a watchdog that means %s hears nothing', async (_name, environment) => {
    const manager = connectServiceManager({ NOTIFY_SOCKET: address, ...environment }, silentLog);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await manager.ready();
    manager.close();
    await systemd.until(1);
    expect(systemd.notices).toEqual(['READY=1']);
  });
});

describe('a message to systemd', () => {
  function withNotify(notify: () => void) {
    const logged: unknown[] = [];
    const log: Log = (level, event, fields) => logged.push({ level, event, ...fields });
    return { logged, manager: connectServiceManager({ NOTIFY_SOCKET: '/x' }, log, () => ({ notify })) };
  }
  const fail = (code: string) => {
    throw Object.assign(new Error(code), { code });
  };

  test('is sent again while systemd has no room for it', async () => {
    let calls = 0;
    const { logged, manager } = withNotify(() => {
      calls += 1;
      if (calls < 3) fail('EAGAIN');
    });
    await manager.ready();
    expect(calls).toBe(3);
    expect(logged).toEqual([]);
  });

  test('that cannot be sent is logged, and ends nothing', async () => {
    const { logged, manager } = withNotify(() => fail('ECONNREFUSED'));
    await manager.ready();
    expect(logged).toEqual([{ level: 'error', event: 'systemd.not-notified', code: 'ECONNREFUSED' }]);
  });

  test('is not even tried by a program that systemd did not start', async () => {
    const manager = connectServiceManager({ WATCHDOG_USEC: '30000' }, silentLog, () => {
      throw new Error('not to be loaded');
    });
    await expect(manager.ready()).resolves.toBeUndefined();
    await expect(manager.stopping()).resolves.toBeUndefined();
    manager.close();
  });
});
