import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Length in bytes and digests in hex of a file. */
export interface FileDigest {
  readonly size: number;
  readonly sha256: string;
  readonly sha384: string;
}

/** Reads a file once for both of its digests. */
export async function digestFile(path: string): Promise<FileDigest> {
  const [sha256, sha384] = [createHash('sha256'), createHash('sha384')];
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    size += chunk.length;
    sha256.update(chunk);
    sha384.update(chunk);
  }
  return { size, sha256: sha256.digest('hex'), sha384: sha384.digest('hex') };
}
