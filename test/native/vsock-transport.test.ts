import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { loadNative, type NativeAddon, type Watch } from '../../shared/native/addon.ts';
import type { Accepted } from '../../shared/transport/transport.ts';
import { openVsockTransport } from '../../shared/native/vsock-transport.ts';

const hasAddon = existsSync(join(import.meta.dirname, '../../build/holdfast.node'));
const TO = { cid: 16, port: 443 };

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function raise(code: string): never {
  throw errno(code);
}

/**
 * A kernel whose vsock does what a test says. Its connections are real sockets that are connected to nothing, so that
 * node:net and the descriptors are the true ones; what real connections do is tested where there is AF_VSOCK.
 */
function makeKernel(overrides: Partial<NativeAddon> = {}) {
  const real = loadNative();
  const watches = new Map<Watch, () => void>();
  const open = new Set<number>();
  const track = (descriptor: number): number => {
    open.add(descriptor);
    return descriptor;
  };
  const native: NativeAddon = {
    ...real,
    localCid: () => 3,
    startConnect: () => track(real.placeholder()),
    finishConnect: () => true,
    listen: () => track(real.placeholder()),
    localPort: () => 7001,
    accept: () => null,
    placeholder: () => track(real.placeholder()),
    replace(from, to) {
      real.replace(from, to);
      open.delete(from);
    },
    close(descriptor) {
      real.close(descriptor);
      open.delete(descriptor);
    },
    watch(_descriptor, _writable, callback) {
      const watch = {} as Watch;
      watches.set(watch, callback);
      return watch;
    },
    unwatch: (watch) => void watches.delete(watch),
    ...overrides,
  };
  return {
    native,
    real,
    open,
    wake: () => [...watches.values()].forEach((callback) => callback()),
    watches,
    track,
  };
}

describe.skipIf(!hasAddon)('the vsock transport', () => {
  test('is unavailable on a machine without vsock, and says what is missing', () => {
    const { native } = makeKernel({ localCid: () => raise('ENOENT') });
    expect(() => openVsockTransport(native)).toThrow(
      expect.objectContaining({ name: 'TransportError', code: 'TRANSPORT_UNAVAILABLE' }),
    );
  });

  test('has the CID that the kernel says', () => {
    expect(openVsockTransport(makeKernel().native).cid).toBe(3);
  });

  for (const [system, code] of [
    ['ECONNRESET', 'CONNECT_REFUSED'],
    ['ECONNREFUSED', 'CONNECT_REFUSED'],
    ['ETIMEDOUT', 'CONNECT_TIMEOUT'],
    ['ENODEV', 'CONNECT_FAILED'],
    ['EMFILE', 'CONNECT_FAILED'],
  ]) {
    test(`answers ${code} when the kernel says ${system} at once`, async () => {
      const kernel = makeKernel({ startConnect: () => raise(system ?? '') });
      await expect(openVsockTransport(kernel.native).connect(TO, { timeoutMs: 1_000 })).rejects.toMatchObject(
        {
          name: 'TransportError',
          code,
          details: { system },
        },
      );
      expect(kernel.watches.size).toBe(0);
    });

    test(`answers ${code} when the kernel says ${system} later, and keeps no descriptor`, async () => {
      const kernel = makeKernel({ finishConnect: () => raise(system ?? '') });
      const attempt = openVsockTransport(kernel.native).connect(TO, { timeoutMs: 1_000 });
      kernel.wake();
      await expect(attempt).rejects.toMatchObject({ name: 'TransportError', code, details: { system } });
      expect(kernel.open.size).toBe(0);
      expect(kernel.watches.size).toBe(0);
    });
  }

  test('waits on while the connection is still under way', async () => {
    let isConnected = false;
    const kernel = makeKernel({ finishConnect: () => isConnected });
    const attempt = openVsockTransport(kernel.native).connect(TO, { timeoutMs: 1_000 });
    kernel.wake();
    expect(kernel.watches.size).toBe(1);
    isConnected = true;
    kernel.wake();
    const stream = await attempt;
    expect(kernel.watches.size).toBe(0);
    stream.destroy();
  });

  test('gives up at the deadline, and keeps no descriptor', async () => {
    const kernel = makeKernel();
    await expect(openVsockTransport(kernel.native).connect(TO, { timeoutMs: 10 })).rejects.toMatchObject({
      code: 'CONNECT_TIMEOUT',
    });
    expect(kernel.open.size).toBe(0);
    expect(kernel.watches.size).toBe(0);
  });

  test('gives up when told to, before and during the attempt', async () => {
    const kernel = makeKernel();
    const transport = openVsockTransport(kernel.native);
    await expect(
      transport.connect(TO, { timeoutMs: 1_000, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'CONNECT_ABORTED' });
    const controller = new AbortController();
    const attempt = transport.connect(TO, { timeoutMs: 1_000, signal: controller.signal });
    controller.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'CONNECT_ABORTED' });
    expect(kernel.open.size).toBe(0);
    expect(kernel.watches.size).toBe(0);
  });

  test('keeps no descriptor when there is none left for the stream', async () => {
    const kernel = makeKernel({ placeholder: () => raise('EMFILE') });
    const attempt = openVsockTransport(kernel.native).connect(TO, { timeoutMs: 1_000 });
    kernel.wake();
    await expect(attempt).rejects.toMatchObject({ code: 'CONNECT_FAILED', details: { system: 'EMFILE' } });
    expect(kernel.open.size).toBe(0);
  });

  test('takes no address that is not two unsigned 32-bit integers', async () => {
    const { native, real } = makeKernel();
    const transport = openVsockTransport({
      ...native,
      startConnect: (...address) => real.startConnect(...address),
      listen: (...address) => real.listen(...address),
    });
    for (const to of [
      { cid: -1, port: 1 },
      { cid: 3, port: 2 ** 32 },
      { cid: 3, port: 1.5 },
    ]) {
      await expect(transport.connect(to, { timeoutMs: 100 })).rejects.toThrow(RangeError);
    }
    await expect(transport.listen(2 ** 32, () => {})).rejects.toThrow(RangeError);
  });

  test('names the address as taken, or the listening as failed', async () => {
    for (const [system, code] of [
      ['EADDRINUSE', 'ADDRESS_IN_USE'],
      ['EACCES', 'LISTEN_FAILED'],
    ]) {
      const { native } = makeKernel({ listen: () => raise(system ?? '') });
      await expect(openVsockTransport(native).listen(443, () => {})).rejects.toMatchObject({
        name: 'TransportError',
        code,
        details: { system },
      });
    }
  });

  test('keeps no descriptor of a listener that cannot be watched', async () => {
    const kernel = makeKernel({ watch: () => raise('ENOMEM') });
    await expect(openVsockTransport(kernel.native).listen(443, () => {})).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
    });
    expect(kernel.open.size).toBe(0);
  });

  test('hands over each waiting connection with the CID that the kernel gave', async () => {
    const waiting = [16, 17, 18];
    const kernel = makeKernel({
      accept() {
        const cid = waiting.shift();
        return cid === undefined
          ? null
          : { descriptor: kernel.track(kernel.real.placeholder()), cid, port: 9 };
      },
    });
    const accepted: Accepted[] = [];
    const listener = await openVsockTransport(kernel.native).listen(443, (next) => accepted.push(next));
    kernel.wake();
    expect(accepted.map(({ peer }) => peer)).toEqual([16, 17, 18].map((cid) => ({ cid, port: 9 })));
    await listener.close();
    expect(accepted.every(({ stream }) => stream.destroyed)).toBe(true);
    expect(kernel.watches.size).toBe(0);
  });

  test('rests when descriptors are exhausted, and then goes on', async () => {
    let isExhausted = true;
    let calls = 0;
    const kernel = makeKernel({
      accept() {
        calls += 1;
        return isExhausted ? raise('EMFILE') : null;
      },
    });
    const listener = await openVsockTransport(kernel.native).listen(443, () => {});
    kernel.wake();
    kernel.wake();
    expect(calls).toBe(1);
    expect(kernel.watches.size).toBe(0);
    isExhausted = false;
    while (kernel.watches.size === 0) await sleep(5);
    kernel.wake();
    expect(calls).toBe(2);
    await listener.close();
    expect(kernel.open.size).toBe(0);
  });

  test('gives other events their turn between many waiting connections', async () => {
    let calls = 0;
    const kernel = makeKernel({
      accept() {
        calls += 1;
        return { descriptor: kernel.track(kernel.real.placeholder()), cid: 16, port: calls };
      },
    });
    const listener = await openVsockTransport(kernel.native).listen(443, ({ stream }) => stream.destroy());
    kernel.wake();
    expect(calls).toBe(64);
    await listener.close();
  });
});
