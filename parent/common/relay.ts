import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { closeTogether, joinStreams } from './forward.ts';
import { giveBuffer, takeBuffer } from './relay-buffers.ts';

/** Two ends of which each sends what the other receives. */
export interface Relay {
  /** Ends as they are now: sockets that were handed over are empty shells. */
  readonly near: Duplex;
  readonly far: Socket;
  /** End whose bytes came last, and when; undefined before any came. */
  last: { readonly from: 'far' | 'near'; readonly at: number } | undefined;
}

/**
 * Relays between a vsock stream and a TCP socket, with backpressure; an end travels as an end. A socket of node:net
 * reads into buffers that are used again and again. A stream that is no such socket, or has bytes under way, is joined
 * as the stream it is. Calls `onClosed` once both are closed.
 */
export function startRelay(near: Duplex, far: Socket, clock: () => number, onClosed: () => void): Relay {
  const handles = { near: handleAtRest(near), far: handleAtRest(far) };
  if (handles.near === null || handles.far === null) {
    const relay: Relay = { near, far, last: undefined };
    near.on('data', () => (relay.last = { from: 'near', at: clock() }));
    far.on('data', () => (relay.last = { from: 'far', at: clock() }));
    joinStreams(near, far, onClosed);
    return relay;
  }
  const buffered = { near: takeBuffered(near), far: takeBuffered(far) };
  const ends = {
    near: handOver(near, handles.near, (count, buffer) => move('near', 'far', count, buffer)),
    far: handOver(far, handles.far, (count, buffer) => move('far', 'near', count, buffer)),
  };
  const relay: Relay = { ...ends, last: undefined };

  /** Moves bytes from one end to the other; true where more may come at once. */
  function move(from: 'far' | 'near', to: 'far' | 'near', count: number, buffer: Buffer): boolean {
    relay.last = { from, at: clock() };
    const [source, sink] = [ends[from], ends[to]];
    let isHeldBack = false;
    // A write to a stream that has ended would break it; the other direction may still be open.
    if (!sink.writable) {
      giveBuffer(buffer);
      return true;
    }
    sink.write(buffer.subarray(0, count), () => {
      giveBuffer(buffer);
      if (isHeldBack) source.resume();
    });
    isHeldBack = sink.writableLength > 0;
    return !isHeldBack;
  }

  for (const [from, to] of [
    ['near', 'far'],
    ['far', 'near'],
  ] as const) {
    for (const bytes of buffered[from]) {
      relay.last = { from, at: clock() };
      ends[to].write(bytes);
    }
    ends[from].once('end', () => ends[to].end());
  }
  closeTogether(ends.near, ends.far, onClosed);
  for (const end of [ends.near, ends.far]) end.resume();
  return relay;
}

/**
 * Inside of a socket. node:net has no public way to give an open connection buffers of its own; its constructor takes a
 * handle.
 */
interface SocketInsides {
  _handle: Handle | null;
}
interface Handle {
  reading: boolean;
  readStop(): void;
}

/**
 * Finds the handle of a socket of node:net whose connection can go on in another one: open, with nothing waiting to be
 * written.
 */
function handleAtRest(stream: Duplex): Handle | null {
  const isAtRest =
    stream instanceof Socket &&
    !stream.connecting &&
    !stream.destroyed &&
    !stream.readableEnded &&
    stream.writable &&
    stream.writableLength === 0;
  return isAtRest ? (stream as unknown as SocketInsides)._handle : null;
}

/** Takes what a stream has read and nobody has taken yet; one call of read() gives only the first chunk. */
function takeBuffered(stream: Duplex): Buffer[] {
  const chunks: Buffer[] = [];
  while (stream.readableLength > 0) chunks.push(stream.read() as Buffer);
  return chunks;
}

/** Hands a socket's connection over to a new socket, which reads into the buffers that are used again and again. */
function handOver(old: Duplex, handle: Handle, onBytes: (count: number, buffer: Buffer) => boolean): Socket {
  handle.reading = false;
  handle.readStop();
  (old as unknown as SocketInsides)._handle = null;
  old.destroy();
  let posted: Buffer | undefined;
  let next = takeBuffer(0, 0);
  const socket = new Socket({
    allowHalfOpen: true,
    handle: handle as never,
    onread: {
      buffer: () => (posted = next),
      callback(count, buffer) {
        next = takeBuffer(count, buffer.length);
        posted = undefined;
        return onBytes(count, buffer as Buffer);
      },
    },
  });
  socket.once('close', () => {
    if (posted !== undefined) giveBuffer(posted);
  });
  return socket;
}
