import type { GetObjectCommandOutput, HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { askAws } from '../aws/index.ts';
import { AdminError } from '../errors.ts';
import { ReleaseError } from './errors.ts';
import type { ReleaseLocation } from './location.ts';
import type { ReleaseDestination, ReleaseFile, ReleaseStream } from './source.ts';

/** Releases in a bucket of S3: `PREFIX/VERSION/FILE`. The index is written last. */
export class BucketReleases implements ReleaseDestination {
  readonly location: string;
  readonly #s3: Pick<S3Client, 'send'>;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(
    s3: Pick<S3Client, 'send'>,
    { bucket, prefix, text }: ReleaseLocation & { readonly kind: 's3' },
  ) {
    this.location = text;
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async read(
    version: string,
    file: string,
    offset: number,
    abortSignal: AbortSignal,
  ): Promise<ReleaseStream> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: this.#keyOf(version, file),
      ...(offset === 0 ? {} : { Range: `bytes=${offset}-` }),
    });
    const answer = await askAws<GetObjectCommandOutput | undefined>(
      's3:GetObject',
      this.#s3.send(command, { abortSignal }),
      {
        NoSuchKey: () => this.#throwNotFound(version, file),
        NoSuchBucket: () => this.#throwNotFound(version, file),
        // The object ends where the part that is here ends, or before: nothing is left of it.
        InvalidRange: () => undefined,
      },
    );
    if (answer === undefined) return { offset, chunks: nothing() };
    const { Body: body, ContentRange: range } = answer;
    if (body === undefined) throw this.#unreachable();
    return {
      offset: range?.startsWith(`bytes ${offset}-`) === true ? offset : 0,
      chunks: this.#readBody(body as AsyncIterable<Uint8Array>, abortSignal),
    };
  }

  async write(
    version: string,
    files: readonly ReleaseFile[],
    abortSignal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<readonly string[]> {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    const written: string[] = [];
    let done = 0;
    for (const file of files) {
      if (await this.#put(version, file, abortSignal)) written.push(file.name);
      done += file.size;
      onProgress(done, total);
    }
    return written;
  }

  /** Puts an object that must not be there, or be the same. @returns false where it was there */
  async #put(version: string, file: ReleaseFile, abortSignal: AbortSignal): Promise<boolean> {
    const { HeadObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const at = { Bucket: this.#bucket, Key: this.#keyOf(version, file.name) };
    const checksum = Buffer.from(file.sha256, 'hex').toString('base64');
    const head = await askAws<Partial<HeadObjectCommandOutput> | undefined>(
      's3:HeadObject',
      this.#s3.send(new HeadObjectCommand({ ...at, ChecksumMode: 'ENABLED' }), { abortSignal }),
      { NotFound: () => undefined, NoSuchKey: () => undefined },
    );
    if (head !== undefined) {
      if (head.ContentLength === file.size && head.ChecksumSHA256 === checksum) return false;
      throw this.#differs(version, file.name);
    }
    const { Readable } = await import('node:stream');
    await askAws(
      's3:PutObject',
      this.#s3.send(
        new PutObjectCommand({
          ...at,
          Body: Readable.from(file.open(), { objectMode: false }),
          ContentLength: file.size,
          ContentType: file.mediaType,
          ChecksumSHA256: checksum,
          // Nobody's object is replaced, also not one that came meanwhile.
          IfNoneMatch: '*',
        }),
        { abortSignal },
      ),
      { PreconditionFailed: () => this.#throwDiffers(version, file.name) },
    );
    return true;
  }

  #keyOf(version: string, file: string): string {
    return `${this.#prefix}${version}/${file}`;
  }

  async *#readBody(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      if (signal.aborted) throw new AdminError('INTERRUPTED', 'interrupted', { operation: 's3:GetObject' });
      throw this.#unreachable(error);
    }
  }

  #throwNotFound(version: string, file: string): never {
    throw new ReleaseError('RELEASE_NOT_FOUND', 'the bucket has no such release or file', {
      location: this.location,
      version,
      file,
    });
  }

  #differs(version: string, file: string): ReleaseError {
    return new ReleaseError('RELEASE_MIRROR_DIFFERS', 'the bucket holds another object of this name', {
      location: this.location,
      version,
      file,
    });
  }

  #throwDiffers(version: string, file: string): never {
    throw this.#differs(version, file);
  }

  #unreachable(cause?: unknown): ReleaseError {
    const { location } = this;
    return new ReleaseError('RELEASE_SOURCE_UNREACHABLE', 'S3 cannot be read', { location }, cause);
  }
}

/** A stream that ends at once. */
async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve([]);
}
