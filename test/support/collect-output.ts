import { Writable } from 'node:stream';

interface OutputOptions {
  readonly isTTY?: boolean;
  /** Called after each write with all that was written so far. */
  readonly onText?: ((text: string) => void) | undefined;
}

/** Makes a stream that keeps what is written to it; `text()` is all of it so far, as UTF-8. */
export function collectOutput({ isTTY = false, onText }: OutputOptions = {}) {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
      onText?.(Buffer.concat(chunks).toString());
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => Buffer.concat(chunks).toString() };
}
