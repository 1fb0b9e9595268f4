import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { tilePath, tileWidth, TILE_WIDTH } from '../../audit/log/index.ts';
import { errorCode } from '../../shared/errors.ts';
import type { Log } from '../common/log.ts';
import type { TileFolder } from './tile-folder.ts';

/** Milliseconds between two copies of the checkpoint with the partial tiles of its tree. */
const CHECKPOINT_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

export interface ArchiveOptions {
  readonly client: Pick<S3Client, 'send'>;
  /** Bucket with Object Lock. */
  readonly bucket: string;
  /** Prefix of every key, with its slash; empty for none. */
  readonly prefix: string;
  /** With `days`, how long nobody may delete an object; without, as long as the bucket says of whatever is written. */
  readonly mode?: 'COMPLIANCE' | 'GOVERNANCE' | undefined;
  readonly days?: number | undefined;
  /** Milliseconds between two copies of the checkpoint; a minute when left out. */
  readonly checkpointMs?: number;
}

interface Offer {
  /** Number of entries in full bundles on disk. */
  readonly full: number;
  /** Size of the tree of the checkpoint on disk. */
  readonly published: number;
}

/**
 * Copies the folder of a log into a bucket whose Object Lock keeps everybody from deleting or changing it. Signing never
 * waits for it: what S3 does not take now is tried again until it does.
 */
export class LogArchive {
  readonly #options: ArchiveOptions;
  readonly #folder: TileFolder;
  readonly #log: Log;
  #offer: Offer = { full: 0, published: 0 };
  #archived = 0;
  #publishedCopy = 0;
  #checkpointDue = 0;
  #running: Promise<void> | undefined;
  readonly #stopped = new AbortController();

  constructor(options: ArchiveOptions, folder: TileFolder, log: Log) {
    this.#options = options;
    this.#folder = folder;
    this.#log = log;
  }

  /** Number of entries in bundles that the bucket has. */
  get archived(): number {
    return this.#archived;
  }

  offer(offer: Offer): void {
    this.#offer = offer;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopped.signal.aborted) {
      try {
        if (!(await this.#copyNext())) return;
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        this.#log('warn', 'audit-log.not-archived', { code: nameOf(error) });
        await sleep(pause, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => undefined);
        pause = Math.min(2 * pause, MAX_PAUSE_MS);
      }
    }
  }

  /** Copies one full bundle with the tiles that it completes, or the checkpoint; false where nothing is left. */
  async #copyNext(): Promise<boolean> {
    this.#archived = Math.max(this.#archived, await this.#folder.readArchived());
    const { full, published } = this.#offer;
    if (this.#archived < full) {
      const size = this.#archived + TILE_WIDTH;
      const index = size / TILE_WIDTH - 1;
      await this.#put(tilePath({ level: 'entries', index, width: TILE_WIDTH }));
      for (let level = 0, nodes = size; nodes % TILE_WIDTH === 0; level += 1, nodes /= TILE_WIDTH) {
        await this.#put(tilePath({ level, index: nodes / TILE_WIDTH - 1, width: TILE_WIDTH }));
      }
      await this.#folder.saveArchived(size);
      this.#archived = size;
      return true;
    }
    if (published <= this.#publishedCopy) return false;
    const wait = this.#checkpointDue - performance.now();
    if (wait > 0) {
      await sleep(wait, undefined, { signal: this.#stopped.signal, ref: false });
      return true;
    }
    await this.#copyCheckpoint(published);
    return true;
  }

  async #copyCheckpoint(size: number): Promise<void> {
    for (const level of ['entries', ...levelsOf(size)] as const) {
      const index = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 1 : level + 1));
      const width = tileWidth(level, index, size);
      // A part that has become full since then is on its way as a full tile.
      if (width > 0) await this.#put(tilePath({ level, index, width }), { isOptional: true });
    }
    await this.#put('checkpoint', { isReplaced: true });
    this.#publishedCopy = size;
    this.#checkpointDue = performance.now() + (this.#options.checkpointMs ?? CHECKPOINT_MS);
  }

  async #put(name: string, { isOptional = false, isReplaced = false } = {}): Promise<void> {
    const { client, bucket, prefix, mode, days } = this.#options;
    const body = await readFile(this.#folder.pathOf(name)).catch((error: NodeJS.ErrnoException) => {
      if (isOptional && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (body === undefined) return;
    // A parent without an archive does not hold the SDK.
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: `${prefix}${name}`,
      Body: body,
      // S3 asks for a checksum with every object that is locked.
      ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
      ...(mode === undefined || days === undefined
        ? {}
        : { ObjectLockMode: mode, ObjectLockRetainUntilDate: new Date(Date.now() + days * DAY_MS) }),
      // A tile never changes: a bucket may let it be written once alone.
      ...(isReplaced ? {} : { IfNoneMatch: '*' }),
    });
    try {
      await client.send(command, { abortSignal: this.#stopped.signal });
    } catch (error) {
      // Written by a run that ended before it had noted that.
      if (!(error instanceof Error) || error.name !== 'PreconditionFailed') throw error;
    }
  }
}

function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) levels.push(level);
  return levels;
}

/** Name of an error of the SDK, which is a code of S3 or of the system; its text may quote more. */
function nameOf(error: unknown): string {
  const code = errorCode(error);
  return code === 'INTERNAL' && error instanceof Error ? error.name : code;
}
