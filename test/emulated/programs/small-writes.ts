import { Duplex } from 'node:stream';
import type { Transport } from '../../../shared/transport/transport.ts';

/**
 * Maximum of a write. vhost-device-vsock hands a packet from one guest to another as a whole, and drops one that does
 * not fit into the other's receive buffer of 4 KiB less its header. A packet is a write, so that writes are kept below
 * that.
 */
const MAX_WRITE_BYTES = 2048;

function inSmallWrites(stream: Duplex): Duplex {
  function writeFrom(bytes: Buffer, start: number, done: (error?: Error | null) => void): void {
    const end = start + MAX_WRITE_BYTES;
    // The next only after this one has left: node would join what waits into one write.
    stream.write(bytes.subarray(start, end), (error) => {
      if (error !== null && error !== undefined) done(error);
      else if (end < bytes.length) writeFrom(bytes, end, done);
      else done();
    });
  }
  const outer = new Duplex({
    allowHalfOpen: true,
    read: () => void stream.resume(),
    write: (chunk: Buffer, _encoding, done) => writeFrom(chunk, 0, done),
    final: (done) => void stream.end(done),
    destroy(error, done) {
      stream.destroy(error ?? undefined);
      done(error);
    },
  });
  outer.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    if (!outer.push(chunk)) stream.pause();
  });
  stream.on('end', () => outer.push(null));
  stream.on('error', (error) => outer.destroy(error));
  stream.on('close', () => {
    if (!stream.readableEnded) outer.destroy();
  });
  return outer;
}

/** Creates a transport between two guests of the emulated host. */
export function betweenGuests(transport: Transport): Transport {
  return {
    cid: transport.cid,
    connect: async (to, options) => inSmallWrites(await transport.connect(to, options)),
    listen: (port, accept) =>
      transport.listen(port, ({ stream, peer }) => accept({ stream: inSmallWrites(stream), peer })),
  };
}
