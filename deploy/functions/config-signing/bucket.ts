import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { MAX_ENVELOPE_BYTES } from '../../../shared/dsse/index.ts';
import { MAX_MANIFEST_BYTES } from '../../../shared/protocol/control.ts';
import { ask } from './aws.ts';
import { ConfigSigningError } from './errors.ts';

/** Where configurations lie, and in which order they were signed: `configurations/000001.json`. */
const PREFIX = 'configurations/';
const DIGITS = 6;
const KEY = new RegExp(`^${PREFIX}([0-9]{${DIGITS}})\\.json$`);
const MANIFEST = 'manifest.json';
/** Listings of 1,000 keys each. */
const MAX_PAGES = 100;

/** The bucket of the stack: the manifest, and a chain of signed configurations, each under the next number. */
export class ConfigurationBucket {
  readonly #client: Pick<S3Client, 'send'>;
  readonly #bucket: string;
  readonly #signal: AbortSignal;

  constructor(client: Pick<S3Client, 'send'>, bucket: string, signal: AbortSignal) {
    this.#client = client;
    this.#bucket = bucket;
    this.#signal = signal;
  }

  /** @throws ConfigSigningError SIGNING_MANIFEST_MISSING, SIGNING_UNAVAILABLE, SIGNING_STORE_UNREADABLE */
  async readManifest(): Promise<Uint8Array> {
    const bytes = await this.#read(MANIFEST, MAX_MANIFEST_BYTES);
    if (bytes !== undefined) return bytes;
    throw new ConfigSigningError(
      'SIGNING_MANIFEST_MISSING',
      'expected manifest.json in the bucket of the stack',
      {
        key: MANIFEST,
      },
    );
  }

  /** Reads a signed configuration by its number, which is there. */
  async readConfiguration(number: number): Promise<Uint8Array> {
    const key = keyOf(number);
    const bytes = await this.#read(key, MAX_ENVELOPE_BYTES);
    if (bytes !== undefined) return bytes;
    throw new ConfigSigningError('SIGNING_STORE_UNREADABLE', 'a configuration is missing in the bucket', {
      key,
    });
  }

  /** Finds the number of the newest configuration; 0 where there is none. */
  async findNewest(): Promise<number> {
    let count = 0;
    let token: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const listed = await ask(
        's3:ListBucket',
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: PREFIX,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          { abortSignal: this.#signal },
        ),
      );
      for (const { Key: key = '' } of listed?.Contents ?? []) {
        count += 1;
        // A gap would let an older configuration be signed anew under the number that is missing.
        if (Number(KEY.exec(key)?.[1]) !== count)
          throw new ConfigSigningError(
            'SIGNING_STORE_UNREADABLE',
            'expected configurations numbered without a gap',
            {
              expected: keyOf(count),
              actual: key,
            },
          );
      }
      token = listed?.NextContinuationToken;
      if (token === undefined) return count;
    }
    throw new ConfigSigningError('SIGNING_STORE_UNREADABLE', 'too many configurations', { pages: MAX_PAGES });
  }

  /** Writes a configuration under a number that nothing has yet. @returns whether it was; false: another was first */
  async append(number: number, bytes: Uint8Array): Promise<boolean> {
    const written = await ask(
      's3:PutObject',
      this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: keyOf(number),
          Body: bytes,
          ContentType: 'application/json',
          IfNoneMatch: '*',
          ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
        }),
        { abortSignal: this.#signal },
      ),
      ['PreconditionFailed', 'ConditionalRequestConflict'],
    );
    return written !== undefined;
  }

  async #read(key: string, maximum: number): Promise<Uint8Array | undefined> {
    const found = await ask(
      's3:GetObject',
      this.#client.send(
        // One byte more than the maximum shows that the object is too long, without fetching all of it.
        new GetObjectCommand({ Bucket: this.#bucket, Key: key, Range: `bytes=0-${maximum}` }),
        { abortSignal: this.#signal },
      ),
      ['NoSuchKey', 'NotFound'],
    );
    if (found === undefined) return undefined;
    const bytes = await ask(
      's3:GetObject',
      found.Body?.transformToByteArray() ?? Promise.resolve(new Uint8Array()),
    );
    if (bytes !== undefined && bytes.length <= maximum) return bytes;
    throw new ConfigSigningError('SIGNING_STORE_UNREADABLE', 'an object is too long', { key, maximum });
  }
}

/** Key of the object of a configuration, by its number from 1. */
export function keyOf(number: number): string {
  return `${PREFIX}${String(number).padStart(DIGITS, '0')}.json`;
}
