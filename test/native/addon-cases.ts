import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, Socket, type Server } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { NativeAddon, Watch } from '../../shared/native/addon.ts';
import { digestKeyCases } from './digest-key-cases.ts';
import { groupCases } from './group-cases.ts';
import { keyCases } from './key-cases.ts';
import { receiveNotices } from './notice-receiver.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Case of the addon on a machine without vsock; run by vitest, and by a sanitizer without it. */
export interface AddonCase {
  readonly name: string;
  /** Runs the case; `path` is the file that the addon was loaded from. */
  run(native: NativeAddon, path: string): Promise<void> | void;
}

const MAX_UINT32 = 0xffff_ffff;

function rejectsErrno(act: () => unknown, ...names: string[]): void {
  assert.throws(
    act,
    (error) => error instanceof Error && 'code' in error && names.includes(String(error.code)),
  );
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Number under which node:net holds a stream: node has no public name for it. */
function descriptorOf(stream: Socket | Server): number {
  const { fd } = (stream as unknown as { _handle: { fd: number } })._handle;
  assert.ok(fd > 2);
  return fd;
}

/** Two connected Unix sockets of node:net and the server that joined them. */
async function withPair(act: (near: Socket, far: Socket) => Promise<void>): Promise<void> {
  const directory = temporaryFolder();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  try {
    server.listen(join(directory, 's'));
    await once(server, 'listening');
    const near = connect({ path: join(directory, 's'), allowHalfOpen: true });
    const [far] = (await once(server, 'connection')) as [Socket];
    for (const end of [near, far]) end.on('error', () => {});
    try {
      await act(near, far);
    } finally {
      near.destroy();
      far.destroy();
    }
  } finally {
    server.close();
  }
}

/**
 * Takes the connection of a paused stream out of node's hands: the descriptor of a connection that node has not seen.
 * The stream keeps its number, under which there is now a socket that is connected to nothing.
 */
function takeOver(native: NativeAddon, stream: Socket): number {
  const number = descriptorOf(stream);
  const taken = native.placeholder();
  native.replace(number, taken);
  const stopgaps: number[] = [];
  while (stopgaps.at(-1) !== number) stopgaps.push(native.placeholder());
  for (const stopgap of stopgaps.slice(0, -1)) native.close(stopgap);
  return taken;
}

function adopt(native: NativeAddon, descriptor: number): Socket {
  const slot = native.placeholder();
  const socket = new Socket({ fd: slot, readable: true, writable: true, allowHalfOpen: true });
  native.replace(descriptor, slot);
  return socket;
}

/** Calls with arguments that are no use, each with the class of error that it must end in. */
const MISUSE: readonly [keyof NativeAddon, readonly unknown[], new () => Error][] = [
  ['startConnect', [], TypeError],
  ['startConnect', [3, 7000], TypeError],
  ['startConnect', [3, 7000, 10, 1], TypeError],
  ['startConnect', [-1, 7000, 10], RangeError],
  ['startConnect', [3, MAX_UINT32 + 1, 10], RangeError],
  ['startConnect', [3, 7000.5, 10], RangeError],
  ['startConnect', [3, Number.NaN, 10], RangeError],
  ['startConnect', ['3', 7000, 10], RangeError],
  ['startConnect', [3, 7000, 3_600_001], RangeError],
  ['listen', [7000], TypeError],
  ['listen', [-1, 1], RangeError],
  ['listen', [7000, 65_536], RangeError],
  ['finishConnect', [null], RangeError],
  ['accept', [Number.POSITIVE_INFINITY], RangeError],
  ['localPort', [{}], RangeError],
  ['replace', [1], TypeError],
  ['replace', [0x8000_0000, 1], RangeError],
  ['close', [], TypeError],
  ['close', [undefined], RangeError],
  ['watch', [0, true], TypeError],
  ['watch', [0, 1, () => {}], TypeError],
  ['watch', [0, true, 'callback'], TypeError],
  ['unwatch', [{}], TypeError],
  ['unwatch', [null], TypeError],
  ['unwatch', [7], TypeError],
  ['exit', [256], RangeError],
  ['exit', [], TypeError],
  ['notify', ['/run/x'], TypeError],
  ['notify', ['', 'READY=1'], TypeError],
  ['notify', ['/run/x', ''], TypeError],
  ['notify', ['/run/x', 7], TypeError],
  ['notify', ['x'.repeat(108), 'READY=1'], TypeError],
  ['notify', ['/run/x', 'x'.repeat(513)], TypeError],
  ['exchangeNsm', [0], TypeError],
  ['exchangeNsm', [0, 'bytes'], TypeError],
  ['exchangeNsm', [0, new Uint16Array(2)], TypeError],
  ['exchangeNsm', [0, new ArrayBuffer(2)], TypeError],
];

export const addonCases: readonly AddonCase[] = [
  ...keyCases,
  ...digestKeyCases,
  ...groupCases,
  {
    name: 'refuses arguments of a wrong number, type or range',
    run(native) {
      for (const [name, values, kind] of MISUSE) {
        assert.throws(() => (native[name] as (...given: readonly unknown[]) => unknown)(...values), kind);
      }
    },
  },
  {
    name: 'names the errno of a descriptor that is not open',
    run(native) {
      const closed = native.placeholder();
      native.close(closed);
      const open = native.placeholder();
      assert.equal(open, closed);
      native.close(open);
      rejectsErrno(() => native.close(closed), 'EBADF');
      rejectsErrno(() => native.accept(closed), 'EBADF');
      rejectsErrno(() => native.localPort(closed), 'EBADF');
      rejectsErrno(() => native.finishConnect(closed), 'EBADF');
      rejectsErrno(() => native.replace(closed, 1), 'EBADF');
      rejectsErrno(() => native.watch(closed, false, () => {}), 'EBADF');
    },
  },
  {
    name: 'does not replace a descriptor that nobody holds, and leaves the other one open',
    run(native) {
      const closed = native.placeholder();
      const kept = native.placeholder();
      native.close(closed);
      rejectsErrno(() => native.replace(kept, closed), 'EBADF');
      assert.ok(fstatSync(kept).isSocket());
      native.close(kept);
    },
  },
  {
    name: 'takes no descriptor of another family for a vsock one',
    async run(native) {
      const directory = temporaryFolder();
      const server = createServer();
      server.listen(join(directory, 's'));
      await once(server, 'listening');
      const before = openDescriptors();
      const descriptor = descriptorOf(server);
      rejectsErrno(() => native.localPort(descriptor), 'EAFNOSUPPORT');
      assert.equal(native.accept(descriptor), null);
      const client = connect(join(directory, 's'));
      rejectsErrno(() => native.accept(descriptor), 'EAFNOSUPPORT');
      client.destroy();
      await once(client, 'close');
      assert.equal(openDescriptors(), before);
      server.close();
    },
  },
  {
    name: 'makes an AF_UNIX placeholder that node:net takes for a stream',
    async run(native) {
      const slot = native.placeholder();
      assert.ok(fstatSync(slot).isSocket());
      const socket = new Socket({ fd: slot });
      socket.on('error', () => {});
      socket.destroy();
      await once(socket, 'close');
    },
  },
  {
    name: 'puts a connection under the number of a stream that node:net holds already',
    run: (native) =>
      withPair(async (near, far) => {
        const adopted = adopt(native, takeOver(native, far));
        near.end('question');
        assert.equal(String((await once(adopted, 'data'))[0]), 'question');
        await once(adopted, 'end');
        adopted.end(Buffer.alloc(4 * 1024 * 1024, 1));
        let received = 0;
        for await (const chunk of near) received += (chunk as Buffer).length;
        assert.equal(received, 4 * 1024 * 1024);
      }),
  },
  {
    name: 'makes what it puts there non-blocking, so that a read without data does not stop the event loop',
    run: (native) =>
      withPair(async (near, far) => {
        const adopted = adopt(native, takeOver(native, far));
        let turns = 0;
        const counting = setInterval(() => (turns += 1), 1);
        await sleep(50);
        clearInterval(counting);
        assert.ok(turns > 1);
        near.write('late');
        assert.equal(String((await once(adopted, 'data'))[0]), 'late');
        adopted.destroy();
      }),
  },
  {
    name: 'says that a watched descriptor is ready, and nothing after the watch has ended',
    run: (native) =>
      withPair(async (near, far) => {
        const descriptor = takeOver(native, far);
        let calls = 0;
        const { promise, resolve } = Promise.withResolvers<void>();
        const watch = native.watch(descriptor, false, () => {
          calls += 1;
          resolve();
        });
        await sleep(20);
        assert.equal(calls, 0);
        near.write('x');
        await promise;
        native.unwatch(watch);
        native.unwatch(watch);
        const seen = calls;
        await sleep(20);
        assert.equal(calls, seen);
        native.close(descriptor);
      }),
  },
  {
    name: 'says that a watched descriptor can be written, and that its connection is made',
    run: (native) =>
      withPair(async (_near, far) => {
        const descriptor = takeOver(native, far);
        const { promise, resolve } = Promise.withResolvers<void>();
        const watch = native.watch(descriptor, true, resolve);
        await promise;
        assert.equal(native.finishConnect(descriptor), true);
        native.unwatch(watch);
        native.close(descriptor);
      }),
  },
  {
    name: 'ends a watch from inside its own callback',
    run: (native) =>
      withPair(async (near, far) => {
        const descriptor = takeOver(native, far);
        near.write('x');
        await new Promise<void>((resolve) => {
          const watch: Watch = native.watch(descriptor, false, () => {
            native.unwatch(watch);
            native.close(descriptor);
            resolve();
          });
        });
        await sleep(5);
      }),
  },
  {
    name: 'keeps and frees a thousand watches',
    async run(native) {
      for (let round = 0; round < 1_000; round += 1) {
        const descriptor = native.placeholder();
        native.unwatch(native.watch(descriptor, round % 2 === 0, () => {}));
        native.close(descriptor);
        if (round % 100 === 0) await nextTurn();
      }
      (globalThis as { gc?: () => void }).gc?.();
      await sleep(10);
    },
  },
  {
    name: 'lets a thread end while a watch of its is on',
    async run(_native, path) {
      const worker = new Worker(
        `const native = require(process.argv[2]);
        globalThis.watch = native.watch(native.placeholder(), false, () => {});
        native.unwatch(native.watch(native.placeholder(), true, () => {}));
        require('node:worker_threads').parentPort.postMessage('on');
        setInterval(() => {}, 1000);`,
        { eval: true, argv: [path] },
      );
      await once(worker, 'message');
      assert.equal(typeof (await worker.terminate()), 'number');
    },
  },
  {
    name: 'sends a notice to a file’s address and to an abstract one, whole',
    async run(native) {
      const directory = temporaryFolder();
      const name = `holdfast-native-${process.pid}-${Date.now()}`;
      for (const address of [join(directory, 'notify'), `@${name}`]) {
        const receiver = await receiveNotices(address);
        native.notify(address, 'READY=1\nSTATUS=ü');
        native.notify(address, 'x'.repeat(512));
        await receiver.until(2);
        assert.deepEqual(receiver.notices, ['READY=1\nSTATUS=ü', 'x'.repeat(512)]);
        await receiver.close();
        rejectsErrno(() => native.notify(address, 'READY=1'), 'ECONNREFUSED');
      }
      rejectsErrno(() => native.notify(join(directory, 'none'), 'READY=1'), 'ENOENT');
    },
  },
  {
    name: 'says that a receiver has no room, and does not wait for it',
    async run(native) {
      const directory = temporaryFolder();
      const address = join(directory, 'notify');
      const receiver = await receiveNotices(address, true);
      const descriptors = openDescriptors();
      rejectsErrno(() => {
        for (let count = 0; count < 100_000; count += 1) native.notify(address, 'WATCHDOG=1');
      }, 'EAGAIN');
      assert.equal(openDescriptors(), descriptors);
      await receiver.close();
    },
  },
  {
    name: 'gives up every other program for good, in all threads',
    run(_native, path) {
      const script = `const { spawnSync } = require('node:child_process');
        const before = spawnSync(process.execPath, ['--version']);
        require(process.argv[1]).forbidExec();
        const after = spawnSync(process.execPath, ['--version']);
        process.stdout.write(before.status + ' ' + after.signal);`;
      const { stdout } = spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' });
      assert.equal(stdout, '0 SIGSYS');
    },
  },
  {
    name: 'ends the process with the code given, and runs no handler',
    run(_native, path) {
      const script = `process.on('exit', () => process.stdout.write('handler'));
        require(process.argv[1]).exit(7);
        process.stdout.write('still here');`;
      const { status, stdout } = spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' });
      assert.deepEqual({ status, stdout }, { status: 7, stdout: '' });
    },
  },
  {
    name: 'refuses an NSM request that the driver would not take',
    run(native) {
      rejectsErrno(() => native.exchangeNsm(0, new Uint8Array()), 'EMSGSIZE');
      rejectsErrno(() => native.exchangeNsm(0, new Uint8Array(0x1001)), 'EMSGSIZE');
    },
  },
  {
    name: 'rejects an exchange with what is no NSM',
    async run(native) {
      const directory = temporaryFolder();
      writeFileSync(join(directory, 'file'), 'x');
      const descriptor = openSync(join(directory, 'file'), 'r');
      const exchanges = Array.from({ length: 20 }, () =>
        native.exchangeNsm(descriptor, new Uint8Array(0x1000)),
      );
      for (const { status, reason } of (await Promise.allSettled(exchanges)) as PromiseRejectedResult[]) {
        assert.equal(status, 'rejected');
        assert.equal((reason as { code: string }).code, 'ENOTTY');
      }
      native.close(descriptor);
    },
  },
];
