import { createHash, randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { AwsServiceError } from '../../shared/aws-json/index.ts';
import { type ChunkReader, SignatureRefusal } from '../../shared/aws-sigv4/index.ts';
import { WholeRequest } from '../../shared/http/index.ts';

/** Hash of no bytes at all, in hex. */
export const EMPTY_HASH = createHash('sha256').digest('hex');

/** Body of a request, whose hash or signatures were verified. A file ends with the response, unless it was moved. */
export interface ReceivedBody {
  readonly length: number;
  /** Fields after the body, by lower-case name. */
  readonly trailers: ReadonlyMap<string, string>;
  /** Reads it all. @throws AwsServiceError MaxMessageLengthExceeded */
  bytes(maxBytes: number): Promise<Uint8Array>;
  /** Path of the file, to be read or moved; a body in memory has none. */
  readonly path: string | undefined;
}

/** Creates a body of bytes in memory. */
export function bodyOfBytes(bytes: Uint8Array): ReceivedBody {
  return {
    length: bytes.length,
    trailers: new Map(),
    path: undefined,
    async bytes(maxBytes) {
      if (bytes.length > maxBytes) throw tooLong();
      return await Promise.resolve(bytes);
    },
  };
}

/** Reader of a request's body, piece by piece, in the turn in which each arrives. */
export interface BodySink {
  push(piece: Uint8Array): void;
  end(): void;
}

/**
 * Request whose body may go piece by piece to a sink instead of into one buffer. One in `aws-chunked` may come with a
 * Transfer-Encoding: its length is announced by another field, and the sink counts.
 */
export class SinkRequest extends WholeRequest {
  #sink: BodySink | undefined;

  override get hasTransferEncoding(): boolean {
    return super.hasTransferEncoding && !this.isAwsChunked;
  }

  /** True where the length of the content is announced beside a body in chunks. */
  get isAwsChunked(): boolean {
    const kind = this.headers['x-amz-content-sha256'];
    return typeof kind === 'string' && kind.startsWith('STREAMING-');
  }

  /** Hands the body to a sink. Must be called in the turn in which the request is handed over. */
  readInto(sink: BodySink): void {
    this.writeContinue?.();
    this.#sink = sink;
  }

  /** Called by Node's parser with each piece of the body, and with null at its end. */
  override push(piece: Buffer | null): boolean {
    if (piece !== null && this.#sink !== undefined) {
      this.#sink.push(piece);
      return true;
    }
    const sink = this.#sink;
    this.#sink = undefined;
    const result = super.push(piece);
    if (piece === null) sink?.end();
    return result;
  }
}

export interface FileBodyOptions {
  readonly folder: string;
  readonly maxBytes: number;
  /** Value of x-amz-content-sha256, which the signature covers. */
  readonly contentSha256: string;
  /** Reader of chunks that writes what it reads, for a body in `aws-chunked`. */
  readonly chunks?: (write: (piece: Uint8Array) => void) => ChunkReader;
}

/**
 * Writes the body of a request to a file as it arrives, so that no part of it stays in memory. Settles when the body is
 * whole and is the one that was signed; never when the connection ends before. The file is removed with the response.
 *
 * @throws AwsServiceError EntityTooLarge, IncompleteBody; SignatureRefusal payload, mismatch
 */
export function receiveToFile(
  request: SinkRequest,
  response: ServerResponse,
  { folder, maxBytes, contentSha256, chunks }: FileBodyOptions,
): Promise<ReceivedBody> {
  if (request.contentLength > maxBytes) throw tooLong();
  const path = join(folder, randomUUID());
  const file = openSync(path, 'wx', 0o600);
  let length = 0;
  const write = (piece: Uint8Array): void => {
    length += piece.length;
    if (length > maxBytes) throw tooLong();
    for (let at = 0; at < piece.length;) at += writeSync(file, piece, at);
  };
  const reader = chunks?.(write);
  const hash = createHash('sha256');
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(file);
    isOpen = false;
  };
  response.once('close', () => {
    close();
    rmSync(path, { force: true });
  });
  return new Promise((resolve, reject) => {
    let failed = false;
    const attempt = (work: () => void): void => {
      if (failed || !isOpen) return;
      try {
        work();
      } catch (error) {
        failed = true;
        reject(error instanceof Error ? error : new Error('the body could not be kept'));
      }
    };
    request.readInto({
      push: (piece) =>
        attempt(() => {
          if (reader !== undefined) {
            reader.push(piece);
            return;
          }
          hash.update(piece);
          write(piece);
        }),
      end: () =>
        attempt(() => {
          const trailers = reader?.end() ?? new Map<string, string>();
          if (reader === undefined) assertHash(contentSha256, hash.digest('hex'));
          close();
          resolve({
            length,
            trailers,
            path,
            async bytes(most) {
              if ((await stat(path)).size > most) throw tooLong();
              return await readFile(path);
            },
          });
        }),
    });
  });
}

/** @throws SignatureRefusal payload */
export function assertHash(claimed: string, computed: string): void {
  if (claimed === 'UNSIGNED-PAYLOAD' || claimed === computed) return;
  throw new SignatureRefusal(
    'payload',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
}

function tooLong(): AwsServiceError {
  return new AwsServiceError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.', 413);
}
