import type { Readable } from 'node:stream';

/** Reads a stream up to its end, and does not destroy it: its other half may stay open. */
export async function readBytes(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads a stream as {@link readBytes} does: its bytes as UTF-8. */
export async function readText(stream: Readable): Promise<string> {
  return String(await readBytes(stream));
}
