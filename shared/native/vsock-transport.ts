import { Socket } from 'node:net';
import { errnoName, loadNative, type NativeAddon, type Watch } from './addon.ts';
import { TransportError, type TransportErrorCode } from '../transport/errors.ts';
import type { Accepted, ConnectOptions, Listener, Transport, VsockAddress } from '../transport/transport.ts';

/** Connections that the kernel holds ready before `accept` sees them. */
const BACKLOG = 4096;
/** Connections that are taken in a row before other events get their turn. */
const MAX_ACCEPTS_IN_A_ROW = 64;
/** Milliseconds until the next accept when there was no descriptor or memory for a connection. */
const EXHAUSTED_PAUSE_MS = 50;

type Sockets = Omit<NativeAddon, 'openNsm' | 'exchangeNsm' | 'forbidDumps' | 'requireNoSwap' | 'exit'>;

/**
 * Makes a stream of node:net from a vsock descriptor. node:net refuses AF_VSOCK descriptors but checks the family only
 * once: so it opens an AF_UNIX placeholder, whose number the connection takes before the event loop uses it.
 */
function adoptDescriptor(native: Sockets, descriptor: number): Socket {
  try {
    const slot = native.placeholder();
    const socket = new Socket({ fd: slot, readable: true, writable: true, allowHalfOpen: true });
    native.replace(descriptor, slot);
    // An error is always followed by `close`; a consumer that watches that alone must not crash.
    socket.on('error', () => {});
    return socket;
  } catch (error) {
    native.close(descriptor);
    throw error;
  }
}

const CONNECT_CODES: Readonly<Record<string, TransportErrorCode>> = {
  // virtio-vsock resets a connection to a port without a listener.
  ECONNRESET: 'CONNECT_REFUSED',
  ECONNREFUSED: 'CONNECT_REFUSED',
  ETIMEDOUT: 'CONNECT_TIMEOUT',
};

function connectError(error: unknown, to: VsockAddress): TransportError {
  const system = errnoName(error);
  const code = CONNECT_CODES[system ?? ''] ?? 'CONNECT_FAILED';
  return new TransportError(code, `no connection to vsock ${to.cid}:${to.port}`, { ...to, system }, error);
}

function connectVsock(native: Sockets, to: VsockAddress, options: ConnectOptions): Promise<Socket> {
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    let descriptor: number;
    let watch: Watch | undefined;
    let timer: NodeJS.Timeout | undefined;
    const stopWaiting = () => {
      if (watch !== undefined) native.unwatch(watch);
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: TransportError) => {
      stopWaiting();
      native.close(descriptor);
      reject(error);
    };
    const abort = () => fail(new TransportError('CONNECT_ABORTED', 'the connection was given up', { ...to }));
    const proceed = () => {
      try {
        if (!native.finishConnect(descriptor)) return;
      } catch (error) {
        fail(connectError(error, to));
        return;
      }
      stopWaiting();
      try {
        resolve(adoptDescriptor(native, descriptor));
      } catch (error) {
        reject(connectError(error, to));
      }
    };

    if (signal?.aborted) {
      reject(new TransportError('CONNECT_ABORTED', 'the connection was given up', { ...to }));
      return;
    }
    try {
      descriptor = native.startConnect(to.cid, to.port, Math.ceil(timeoutMs));
    } catch (error) {
      reject(error instanceof RangeError ? error : connectError(error, to));
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
    timer = setTimeout(() => {
      fail(new TransportError('CONNECT_TIMEOUT', `vsock ${to.cid}:${to.port} does not answer`, { ...to }));
    }, timeoutMs);
    try {
      watch = native.watch(descriptor, true, proceed);
    } catch (error) {
      fail(connectError(error, to));
    }
  });
}

class VsockListener implements Listener {
  readonly address: VsockAddress;
  readonly #native: Sockets;
  readonly #descriptor: number;
  readonly #accept: (accepted: Accepted) => void;
  readonly #open = new Set<Socket>();
  #watch: Watch | undefined;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(native: Sockets, cid: number, descriptor: number, accept: (accepted: Accepted) => void) {
    this.#native = native;
    this.#descriptor = descriptor;
    this.#accept = accept;
    this.address = Object.freeze({ cid, port: native.localPort(descriptor) });
    this.#resume();
  }

  #resume(): void {
    this.#watch = this.#native.watch(this.#descriptor, false, () => this.#takeWaiting());
  }

  #takeWaiting(): void {
    for (let count = 0; count < MAX_ACCEPTS_IN_A_ROW && !this.#closed; count += 1) {
      let peer: VsockAddress;
      let stream: Socket;
      try {
        const next = this.#native.accept(this.#descriptor);
        if (next === null) return;
        peer = Object.freeze({ cid: next.cid, port: next.port });
        stream = adoptDescriptor(this.#native, next.descriptor);
      } catch {
        // Out of descriptors or memory: a watch would report the same connection again at once and burn the CPU.
        if (this.#watch !== undefined) this.#native.unwatch(this.#watch);
        this.#watch = undefined;
        this.#pause = setTimeout(() => this.#resume(), EXHAUSTED_PAUSE_MS);
        return;
      }
      this.#open.add(stream);
      stream.once('close', () => this.#open.delete(stream));
      this.#accept({ stream, peer });
    }
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      clearTimeout(this.#pause);
      if (this.#watch !== undefined) this.#native.unwatch(this.#watch);
      this.#native.close(this.#descriptor);
    }
    await Promise.all(
      [...this.#open].map(
        (stream) =>
          new Promise<void>((resolve) => {
            stream.once('close', () => resolve());
            stream.destroy();
          }),
      ),
    );
  }
}

/**
 * Opens AF_VSOCK, on an EC2 parent and inside the enclave: vsock(7).
 * @throws TransportError TRANSPORT_UNAVAILABLE without the addon, or on a machine without vsock.
 */
export function openVsockTransport(native: Sockets = loadNative()): Transport {
  let cid: number;
  try {
    cid = native.localCid();
  } catch (error) {
    throw new TransportError(
      'TRANSPORT_UNAVAILABLE',
      'this machine has no /dev/vsock: is it a Nitro host, or an enclave, with the vsock modules loaded?',
      { system: errnoName(error) },
      error,
    );
  }
  return {
    cid,
    connect: (to, options) => connectVsock(native, to, options),
    listen: async (port, accept) => {
      let descriptor: number | undefined;
      try {
        descriptor = native.listen(port, BACKLOG);
        return new VsockListener(native, cid, descriptor, accept);
      } catch (error) {
        if (error instanceof RangeError) throw error;
        if (descriptor !== undefined) native.close(descriptor);
        const system = errnoName(error);
        const code = system === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'LISTEN_FAILED';
        throw new TransportError(code, `no listener on vsock port ${port}`, { port, system }, error);
      }
    },
  };
}
