import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { closeTogether, joinStreams } from './forward.ts';
import { giveBuffer, takeBuffer } from './relay-buffers.ts';

/** Two ends of which each sends what the other receives. */
export interface Relay {
  /** The ends as they are now: those that were handed over are empty shells. */
  readonly near: Duplex;
  readonly far: Socket;
  /** Of which end bytes came last, and when; undefined before any did. */
  last: { readonly from: 'far' | 'near'; readonly at: number } | undefined;
}

/**
 * Relays between a vsock stream and a TCP socket, with backpressure; an end travels as an end. What node:net reads
 * goes through buffers that are used again and again. What is no socket of node:net, or has something under way, is
 * joined as the streams they are. Calls back once both are closed.
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

  /** Whether there may be more at once. */
  function move(from: 'far' | 'near', to: 'far' | 'near', count: number, buffer: Buffer): boolean {
    relay.last = { from, at: clock() };
    const [source, sink] = [ends[from], ends[to]];
    let isHeldBack = false;
    // Whoever writes to what has ended would break it; the other way may still be open.
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

/** node:net has no public way to give an open connection buffers of its own; its constructor takes a handle. */
interface SocketInsides {
  _handle: Handle | null;
}
interface Handle {
  reading: boolean;
  readStop(): void;
}

/**
 * The handle of a socket of node:net whose connection can go on in another one: open, and nothing of it waits to be
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

/** What a stream has read and nobody has taken yet; one call of read() gives the first chunk of it alone. */
function takeBuffered(stream: Duplex): Buffer[] {
  const chunks: Buffer[] = [];
  while (stream.readableLength > 0) chunks.push(stream.read() as Buffer);
  return chunks;
}

/** Hands a socket's connection over to a new one, which reads into the buffers that are used again and again. */
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
