import type { EifSink } from '../../../attestation/eif/index.ts';

/** Creates a sink in memory; its bytes are refused when one was never written, or written twice. */
export function createMemorySink(): EifSink & { bytes(): Uint8Array } {
  const pieces = new Map<number, Uint8Array>();
  return {
    write: async (offset, bytes) => {
      pieces.set(offset, bytes.slice());
    },
    bytes() {
      const sorted = [...pieces].sort(([a], [b]) => a - b);
      let end = 0;
      for (const [offset, { length }] of sorted) {
        if (offset !== end) throw new Error(`byte ${end} was written twice or never`);
        end += length;
      }
      return new Uint8Array(Buffer.concat(sorted.map(([, bytes]) => bytes)));
    },
  };
}
