import { Writable } from 'node:stream';

/** Makes a stream that keeps what is written to it; `text()` is all of it so far, as UTF-8. */
export function collectOutput({ isTTY = false } = {}) {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => Buffer.concat(chunks).toString() };
}
