import { open, rm, stat } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TransportError } from './errors.ts';
import { encodePreamble, readPreamble } from './unix-preamble.ts';
import { makeSocketDirectory, openSocketPath, type SocketPath } from './unix-path.ts';
import type { Accepted, ConnectOptions, Listener, Transport, VsockAddress } from './transport.ts';

const MAX_UINT32 = 0xffff_ffff;
const FIRST_SOURCE_PORT = 0x4000_0000;
const PREAMBLE_TIMEOUT_MS = 5_000;
const BACKLOG = 1_024;
const MAX_BACKLOG_RETRY_MS = 100;
const TAKEOVER_ROUNDS = 100;
const TAKEOVER_WAIT_MS = 20;
const OLD_LOCK_MS = 5_000;

export interface UnixTransportOptions {
  /** The folder of the sockets, shared by all ends; made when missing, for its owner alone. */
  readonly directory: string;
  /** This end's own context id. */
  readonly cid: number;
  /** Milliseconds that an accepted connection has for its preamble; 5,000 when left out. */
  readonly preambleTimeoutMs?: number;
}

/**
 * The (cid, port) addressing of AF_VSOCK over Unix sockets, one file `CID-PORT.sock` for each listener. Each
 * connection starts with a preamble that names the connecting end, and the listener takes its word for it: whoever
 * may write to the folder may claim any CID. On a laptop that is no security boundary; on a Nitro host it is
 * AF_VSOCK that runs, where the hypervisor vouches for the CID.
 * @throws RangeError for a CID that is not an unsigned 32-bit integer
 */
export function createUnixTransport(options: UnixTransportOptions): Transport {
  const { cid, directory, preambleTimeoutMs = PREAMBLE_TIMEOUT_MS } = options;
  const queues: Queues = new Map();
  assertUint32(cid, 'cid');
  let connections = 0;

  return {
    cid,
    async connect(to, connectOptions) {
      assertUint32(to.cid, 'cid');
      assertUint32(to.port, 'port');
      const socket = await dial(directory, fileOf(to), queues, connectOptions);
      connections += 1;
      socket.write(encodePreamble({ cid, port: FIRST_SOURCE_PORT + (connections % FIRST_SOURCE_PORT) }));
      return socket;
    },
    async listen(port, accept) {
      assertUint32(port, 'port');
      const address = Object.freeze({ cid, port });
      await makeSocketDirectory(directory).catch((error: unknown) => {
        throw new TransportError(
          'LISTEN_FAILED',
          'cannot make the folder of the sockets',
          { directory },
          error,
        );
      });
      return await listen(directory, address, accept, preambleTimeoutMs);
    },
  };
}

function assertUint32(value: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > MAX_UINT32) {
    throw new RangeError(`the ${what} must be an unsigned 32-bit integer`);
  }
}

function fileOf({ cid, port }: VsockAddress): string {
  return `${cid}-${port}.sock`;
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

/** An error of a stream is always followed by its `close`; a consumer that watches that alone must not crash. */
function ignoreErrors(socket: Socket): void {
  socket.on('error', () => {});
}

/** Last of those who wait for a place in the backlog of a socket, by the socket's file: settles when it has its turn behind it. */
type Queues = Map<string, Promise<void>>;

async function dial(
  directory: string,
  file: string,
  queues: Queues,
  options: ConnectOptions,
): Promise<Socket> {
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  const timer = setTimeout(abort, options.timeoutMs);
  options.signal?.addEventListener('abort', abort, { once: true });
  if (options.signal?.aborted === true) abort();
  const { signal } = attempt;
  let target: SocketPath | undefined;
  try {
    signal.throwIfAborted();
    target = await openSocketPath(directory, file, 'CONNECT_FAILED');
    const { path } = target;
    return (
      (await connectIfRoom(path, signal)) ??
      (await inTurn(queues, file, signal, () => connectWhenRoom(path, signal)))
    );
  } catch (error) {
    throw toConnectError(error, file, options);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
    await target?.release();
  }
}

/** Connects; undefined where the backlog is full: a Unix socket refuses at once then, where AF_VSOCK and TCP would wait. */
async function connectIfRoom(path: string, signal: AbortSignal): Promise<Socket | undefined> {
  try {
    return await connectOnce(path, signal);
  } catch (error) {
    if (systemCode(error) !== 'EAGAIN') throw error;
    return undefined;
  }
}

async function connectWhenRoom(path: string, signal: AbortSignal): Promise<Socket> {
  for (let retryMs = 2; ; retryMs = Math.min(2 * retryMs, MAX_BACKLOG_RETRY_MS)) {
    const socket = await connectIfRoom(path, signal);
    if (socket !== undefined) return socket;
    await sleep(retryMs * (0.5 + Math.random()), undefined, { signal });
  }
}

/**
 * Has one after the other try again: thousands who did it at the same time would leave a process that listens itself no
 * time to accept any.
 */
async function inTurn<T>(
  queues: Queues,
  file: string,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const before = queues.get(file);
  const turn = Promise.withResolvers<void>();
  const last = (before ?? Promise.resolve()).then(() => turn.promise);
  queues.set(file, last);
  void last.then(() => {
    if (queues.get(file) === last) queues.delete(file);
  });
  try {
    await Promise.race([before, rejectWhenAborted(signal)]);
    return await act();
  } finally {
    turn.resolve();
  }
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function toConnectError(error: unknown, file: string, options: ConnectOptions): unknown {
  if (error instanceof TransportError) return error;
  const system = systemCode(error);
  const details = { file, system };
  if (system === 'ENOENT' || system === 'ECONNREFUSED') {
    return new TransportError('CONNECT_REFUSED', 'no process listens on the socket', details, error);
  }
  if (options.signal?.aborted === true) {
    return new TransportError('CONNECT_ABORTED', 'the attempt was given up', details, error);
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new TransportError('CONNECT_TIMEOUT', 'the attempt took too long', details, error);
  }
  return new TransportError('CONNECT_FAILED', 'cannot connect', details, error);
}

function connectOnce(path: string, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const socket = createConnection({ path, allowHalfOpen: true });
    ignoreErrors(socket);
    const settle = (act: () => void) => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('connect', onConnect);
      act();
    };
    const onConnect = () => settle(() => resolve(socket));
    const onError = (error: Error) => settle(() => reject(error));
    const onAbort = () => {
      settle(() => reject(signal?.reason as Error));
      socket.destroy();
    };
    socket.once('connect', onConnect);
    socket.once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

async function listen(
  directory: string,
  address: VsockAddress,
  accept: (accepted: Accepted) => void,
  preambleTimeoutMs: number,
): Promise<Listener> {
  const file = fileOf(address);
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    ignoreErrors(socket);
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    readPreamble(socket, preambleTimeoutMs).then(
      (peer) => accept({ stream: socket, peer }),
      () => socket.destroy(),
    );
  });
  const target = await openSocketPath(directory, file, 'LISTEN_FAILED');
  try {
    await bindOrTakeOver(server, target.path);
  } catch (error) {
    await target.release();
    if (error instanceof TransportError) throw error;
    throw new TransportError('LISTEN_FAILED', 'cannot listen', { file, system: systemCode(error) }, error);
  }
  let closed: Promise<void> | undefined;
  return {
    address,
    close() {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }).then(() => target.release());
      return closed;
    },
  };
}

async function bindOrTakeOver(server: Server, path: string): Promise<void> {
  // Each round ends with the socket being ours, being a living process's, or a rival being at it.
  for (let round = 0; round < TAKEOVER_ROUNDS; round += 1) {
    try {
      await bind(server, path);
      return;
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE') throw error;
    }
    if (await isAlive(path)) throw addressInUse(path);
    if (!(await removeStale(path))) await sleep(TAKEOVER_WAIT_MS);
  }
  throw addressInUse(path);
}

function addressInUse(path: string): TransportError {
  return new TransportError('ADDRESS_IN_USE', 'another process listens there', { path });
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: BACKLOG }, () => {
      server.off('error', reject);
      // Out of descriptors, a listener loses the connection that it could not take, and lives.
      server.on('error', () => {});
      resolve();
    });
  });
}

/** Tells whether a process listens on a socket file; a full backlog is a sign of life. */
async function isAlive(path: string): Promise<boolean> {
  try {
    (await connectOnce(path)).destroy();
    return true;
  } catch (error) {
    const system = systemCode(error);
    return system !== 'ECONNREFUSED' && system !== 'ENOENT';
  }
}

/**
 * Removes the socket file of a dead process, unless a rival is at it. Only who holds the lock removes one, and looks
 * once more before: nobody can bind while the dead one lies there, so what is removed is never a living one.
 */
async function removeStale(path: string): Promise<boolean> {
  const lock = `${path}.lock`;
  try {
    await (await open(lock, 'wx', 0o600)).close();
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    await dropOldLock(lock);
    return false;
  }
  try {
    if (!(await isAlive(path))) await rm(path, { force: true });
    return true;
  } finally {
    await rm(lock, { force: true });
  }
}

/** Removes the lock of a process that died: others hold a lock for no longer than an attempt to connect takes. */
async function dropOldLock(lock: string): Promise<void> {
  const made = await stat(lock).catch(() => undefined);
  if (made !== undefined && Date.now() - made.mtimeMs > OLD_LOCK_MS) await rm(lock, { force: true });
}
