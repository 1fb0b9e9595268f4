import { createHash, type Hash, timingSafeEqual } from 'node:crypto';
import { AwsServiceError } from '../aws-json/errors.ts';
import { sha256 } from './canonical-request.ts';
import { mismatch } from './refusal.ts';
import { sign, type SigningCredential } from './signing-key.ts';
import type { VerifiedSignature } from './verification.ts';

/**
 * Values of x-amz-content-sha256 for a body in chunks, and what each has: signed chunks, trailing fields.
 * Source: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
 */
const KINDS: ReadonlyMap<string, { readonly signed: boolean; readonly trailing: boolean }> = new Map([
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { signed: true, trailing: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { signed: true, trailing: true }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { signed: false, trailing: true }],
]);

/** Longest line of a chunk's head or a trailing field, in bytes. */
const MAX_LINE_BYTES = 512;
const MAX_TRAILERS = 8;
const CHUNK = /^([0-9A-Fa-f]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/;
const TRAILER = /^([A-Za-z0-9-]{1,64}):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/;
const CR = 13;
const LF = 10;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

/** True for the words of a body that comes in chunks. */
export function isChunked(contentSha256: string | undefined): boolean {
  return contentSha256?.startsWith('STREAMING-') === true;
}

export interface ChunkOptions {
  /** Value of x-amz-content-sha256. */
  readonly kind: string;
  /** Length of the whole in bytes, as x-amz-decoded-content-length says it. */
  readonly length: number;
  readonly signature: Pick<
    VerifiedSignature<SigningCredential>,
    'timestamp' | 'scope' | 'signingKey' | 'signature'
  >;
  /** Takes the content, in pieces that are its owner's only for the time of the call. */
  readonly write: (piece: Uint8Array) => void;
}

/**
 * Reads a body of `aws-chunked` as it arrives and keeps nothing of it but a line. Each signature of a chunk follows from
 * the one before, so that no chunk can be left out, and the last, empty one ends the body.
 */
export class ChunkReader {
  readonly #options: ChunkOptions;
  readonly #kind: { readonly signed: boolean; readonly trailing: boolean };
  readonly #trailers = new Map<string, string>();
  #state: 'head' | 'content' | 'end-of-content' | 'trailers' | 'done' = 'head';
  #line: number[] = [];
  #left = 0;
  #total = 0;
  #hash: Hash = createHash('sha256');
  #claimed = '';
  #previous: string;
  #trailerSignature: string | undefined;

  /** @throws AwsServiceError InvalidArgument for words that S3 does not know */
  constructor(options: ChunkOptions) {
    const kind = KINDS.get(options.kind);
    if (kind === undefined) {
      throw new AwsServiceError('NotImplemented', 'The signature of this payload is not implemented.', 501);
    }
    this.#options = options;
    this.#kind = kind;
    this.#previous = options.signature.signature;
  }

  /**
   * Takes the next bytes of the body.
   * @throws AwsServiceError IncompleteBody, MalformedTrailerError; SignatureRefusal mismatch
   */
  push(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === 'content') {
        const part = piece.subarray(at, at + this.#left);
        if (this.#kind.signed) this.#hash.update(part);
        this.#options.write(part);
        this.#left -= part.length;
        at += part.length;
        if (this.#left === 0) this.#endContent();
      } else if (this.#state === 'done') throw malformed();
      else {
        const byte = piece[at] ?? 0;
        at += 1;
        if (byte === LF) this.#endLine();
        else if (this.#line.push(byte) > MAX_LINE_BYTES) throw malformed();
      }
    }
  }

  /**
   * Ends the body, and returns its trailing fields by lower-case name.
   * @throws AwsServiceError IncompleteBody; SignatureRefusal mismatch
   */
  end(): ReadonlyMap<string, string> {
    // A client may end its body after the last field, without the empty line.
    if (this.#state === 'trailers' && this.#line.length === 0) this.#endTrailers();
    if (this.#state !== 'done' || this.#total !== this.#options.length) throw malformed();
    return this.#trailers;
  }

  #endLine(): void {
    if (this.#line.pop() !== CR) throw malformed();
    const line = Buffer.from(this.#line).toString('latin1');
    this.#line = [];
    if (this.#state === 'head') this.#beginChunk(line);
    else if (this.#state === 'trailers') this.#takeTrailer(line);
    else if (line === '') this.#state = 'head';
    else throw malformed();
  }

  #beginChunk(line: string): void {
    const [, size, signature] = CHUNK.exec(line) ?? [];
    if (size === undefined || (signature !== undefined) !== this.#kind.signed) throw malformed();
    this.#left = Number.parseInt(size, 16);
    this.#total += this.#left;
    if (this.#total > this.#options.length) throw malformed();
    this.#claimed = signature ?? '';
    if (this.#left > 0) this.#state = 'content';
    else {
      if (this.#kind.signed) this.#assertChunk();
      this.#state = 'trailers';
    }
  }

  #endContent(): void {
    if (this.#kind.signed) this.#assertChunk();
    this.#state = 'end-of-content';
  }

  #assertChunk(): void {
    const hash = this.#hash.digest('hex');
    this.#hash = createHash('sha256');
    this.#assertSigned('AWS4-HMAC-SHA256-PAYLOAD', [sha256(''), hash], this.#claimed);
  }

  #takeTrailer(line: string): void {
    if (line === '') {
      this.#endTrailers();
      return;
    }
    const [, name, value] = TRAILER.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed();
    const key = name.toLowerCase();
    if (key === TRAILER_SIGNATURE && this.#trailerSignature === undefined) this.#trailerSignature = value;
    else if (
      !this.#kind.trailing ||
      this.#trailers.has(key) ||
      this.#trailerSignature !== undefined ||
      this.#trailers.size >= MAX_TRAILERS
    ) {
      throw new AwsServiceError(
        'MalformedTrailerError',
        'The request contained trailing data that was not well-formed.',
      );
    } else this.#trailers.set(key, value);
  }

  #endTrailers(): void {
    if (this.#kind.signed && this.#kind.trailing) {
      const text = [...this.#trailers].map(([name, value]) => `${name}:${value}\n`).join('');
      this.#assertSigned('AWS4-HMAC-SHA256-TRAILER', [sha256(text)], this.#trailerSignature ?? '');
    }
    this.#state = 'done';
  }

  #assertSigned(algorithm: string, hashes: readonly string[], claimed: string): void {
    const { timestamp, scope, signingKey } = this.#options.signature;
    const expected = sign(signingKey, [algorithm, timestamp, scope, this.#previous, ...hashes].join('\n'));
    const given = Buffer.from(claimed, 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw mismatch();
    this.#previous = Buffer.from(expected).toString('hex');
  }
}

function malformed(): AwsServiceError {
  return new AwsServiceError(
    'IncompleteBody',
    'The request body is not well-formed aws-chunked content of the length that was announced.',
  );
}
