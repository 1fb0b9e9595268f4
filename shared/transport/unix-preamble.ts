import type { Socket } from 'node:net';
import type { VsockAddress } from './transport.ts';

/** "HFV" and the version of the preamble. */
const MAGIC = 0x48_46_56_01;
const PREAMBLE_BYTES = 12;

/** Encodes the first bytes of the connecting end: magic ‖ its CID ‖ its port, each a 32-bit big-endian integer. */
export function encodePreamble({ cid, port }: VsockAddress): Uint8Array {
  const preamble = Buffer.alloc(PREAMBLE_BYTES);
  preamble.writeUInt32BE(MAGIC, 0);
  preamble.writeUInt32BE(cid, 4);
  preamble.writeUInt32BE(port, 8);
  return preamble;
}

/** Reads the preamble of a connection and no byte more. Rejects when the preamble is late, truncated or malformed. */
export function readPreamble(socket: Socket, timeoutMs: number): Promise<VsockAddress> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: VsockAddress | Error) => {
      clearTimeout(timer);
      socket.off('readable', onReadable);
      socket.off('end', onClose);
      socket.off('close', onClose);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onReadable = () => {
      const preamble = socket.read(PREAMBLE_BYTES) as Buffer | null;
      if (preamble === null) return;
      if (preamble.length !== PREAMBLE_BYTES || preamble.readUInt32BE(0) !== MAGIC) {
        settle(new Error('not a preamble'));
        return;
      }
      settle({ cid: preamble.readUInt32BE(4), port: preamble.readUInt32BE(8) });
    };
    const onClose = () => settle(new Error('closed before the preamble'));
    const timer = setTimeout(() => settle(new Error('no preamble in time')), timeoutMs);
    socket.on('readable', onReadable);
    // A half-open socket that ends without a preamble does not close by itself.
    socket.once('end', onClose);
    socket.once('close', onClose);
  });
}
