import { errorCode } from '../../shared/errors.ts';
import type { LogAddition } from '../../shared/protocol/control.ts';
import { tilePath, TILE_WIDTH } from '../../audit/log/index.ts';
import type { Log } from '../common/log.ts';
import type { RecordSession } from '../store/record-store.ts';
import { LogTree } from './log-tree.ts';
import type { TileFolder } from './tile-folder.ts';

/** Additions in memory that are not in the tree yet; further ones are read from the store. */
const MAX_FRESH = 32;

type EntrySource = Pick<RecordSession, 'dropEntries' | 'logBounds' | 'readEntries'>;

/** A checkpoint to be published, and the size of its tree. */
interface Publication {
  readonly size: number;
  readonly note: string;
}

/**
 * Brings the entries of a store into the folder, one step after the other: tree, full tiles, then the newest checkpoint
 * with the partial tiles of its size. What a crash interrupts is done again from the store's entries.
 */
export class LogWriter {
  readonly #folder: TileFolder;
  readonly #log: Log;
  #tree: LogTree | undefined;
  #source: EntrySource | undefined;
  /** Number of entries that the store has, as far as is known. */
  #target = 0;
  /** Entries that were committed last, by the index of the first. */
  readonly #fresh = new Map<number, readonly Uint8Array[]>();
  /** Tiles that are full and not on disk yet, by path. */
  readonly #unwritten = new Map<string, Uint8Array>();
  #publication: Publication | undefined;
  #published = 0;
  #full = 0;
  #step: Promise<void> = Promise.resolve();
  #hasGap = false;
  #isPublishing = false;
  #publishing: Promise<void> = Promise.resolve();
  #waiting: { readonly size: number; readonly resolve: (isThere: boolean) => void }[] = [];
  /** Called when full tiles or a checkpoint are on disk. */
  onWritten: () => void = () => undefined;

  constructor(folder: TileFolder, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  get size(): number {
    return this.#tree?.size ?? 0;
  }

  /** Size of the tree whose checkpoint is in the folder; 0 before the first since the start of the parent. */
  get published(): number {
    return this.#published;
  }

  /** Number of entries in full bundles on disk. */
  get full(): number {
    return this.#full;
  }

  /** True where the store has dropped entries that the folder does not hold. */
  get hasGap(): boolean {
    return this.#hasGap;
  }

  get tree(): LogTree | undefined {
    return this.#tree;
  }

  /** Takes entries from this store from now on. */
  attach(source: EntrySource): void {
    this.#source = source;
    this.#run(async () => {
      this.#target = Math.max(this.#target, (await source.logBounds()).size);
    });
  }

  detach(): void {
    this.#source = undefined;
  }

  /** Takes entries that the store has just committed. */
  accept({ start, entries }: LogAddition): void {
    this.#target = Math.max(this.#target, start + entries.length);
    if (this.#fresh.size < MAX_FRESH) {
      this.#fresh.set(
        start,
        entries.map((entry) => entry.slice()),
      );
    }
    this.#run();
  }

  /** Waits until the tree has a size, for some milliseconds at most. */
  async reach(size: number, timeoutMs: number): Promise<boolean> {
    if (this.size >= size) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { size, resolve };
    this.#waiting.push(waiting);
    const timer = setTimeout(() => {
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
      resolve(false);
    }, timeoutMs);
    this.#run();
    return await promise.finally(() => clearTimeout(timer));
  }

  /** Publishes a checkpoint of a tree that was reached, unless a larger one is published before. */
  publish(publication: Publication): void {
    if (publication.size < Math.max(this.#published, this.#publication?.size ?? 0)) return;
    this.#publication = publication;
    this.#run();
  }

  /** Waits until what was asked for is on disk. */
  async close(): Promise<void> {
    await this.#step;
    await this.#publishing;
  }

  #run(before: () => Promise<void> = () => Promise.resolve()): void {
    this.#step = this.#step
      .then(before)
      .then(() => this.#work())
      .catch((error: unknown) => {
        this.#log('error', 'audit-log.not-written', { code: errorCode(error) });
      });
  }

  async #work(): Promise<void> {
    this.#tree ??= await this.#open();
    this.#answerWaiting(this.#tree);
    while (await this.#grow(this.#tree)) this.#answerWaiting(this.#tree);
    this.#publishLater(this.#tree);
  }

  #answerWaiting({ size }: LogTree): void {
    const reached = this.#waiting.filter((one) => one.size <= size);
    this.#waiting = this.#waiting.filter((one) => one.size > size);
    for (const { resolve } of reached) resolve(true);
  }

  async #open(): Promise<LogTree> {
    const size = await this.#folder.readProgress();
    this.#full = size;
    return await LogTree.open(size, async (tile) => {
      return this.#unwritten.get(tilePath(tile)) ?? (await this.#folder.readTile(tile));
    });
  }

  /** Appends the next entries, those of one bundle at most; false where there are none. */
  async #grow(tree: LogTree): Promise<boolean> {
    const { size } = tree;
    if (size >= this.#target) return false;
    const room = TILE_WIDTH - (size % TILE_WIDTH);
    const fresh = this.#takeFresh(size);
    const entries = fresh ?? (await this.#readStored(size, room));
    if (entries.length === 0) return false;
    const full = tree.append(entries.slice(0, room));
    if (entries.length > room) this.#fresh.set(size + room, entries.slice(room));
    for (const { tile, bytes } of full) this.#unwritten.set(tilePath(tile), bytes);
    for (const { tile, bytes } of full) {
      await this.#folder.writeTile(tile, bytes);
      this.#unwritten.delete(tilePath(tile));
    }
    if (full.length > 0) await this.#saveProgress(tree);
    return true;
  }

  /** Notes what is on disk for good, with the partial tiles by which the tree is opened again, and drops its entries. */
  async #saveProgress(tree: LogTree): Promise<void> {
    for (const { tile, bytes } of tree.partialTiles(tree.size)) {
      await this.#folder.writeTile(tile, bytes, true);
    }
    await this.#folder.saveProgress(tree.size);
    this.#full = tree.size;
    this.onWritten();
    await this.#source?.dropEntries(tree.size);
  }

  /** Writes the newest checkpoint beside the tree's growth, so that no proof waits for files. */
  #publishLater(tree: LogTree): void {
    if (this.#isPublishing || (this.#publication?.size ?? Infinity) > tree.size) return;
    this.#isPublishing = true;
    this.#publishing = this.#writePublications(tree)
      .catch((error: unknown) => {
        this.#log('error', 'audit-log.not-written', { code: errorCode(error) });
      })
      .finally(() => {
        this.#isPublishing = false;
      });
  }

  async #writePublications(tree: LogTree): Promise<void> {
    for (
      let next = this.#publication;
      next !== undefined && next.size <= tree.size;
      next = this.#publication
    ) {
      this.#publication = undefined;
      try {
        await this.#writePublication(tree, next);
      } catch (error) {
        // A newer checkpoint takes the place of one that could not be written.
        this.#publication ??= next;
        throw error;
      }
    }
  }

  /** Publishes a checkpoint, once the tiles of its tree are there. */
  async #writePublication(tree: LogTree, publication: Publication): Promise<void> {
    for (const { tile, bytes } of tree.partialTiles(publication.size))
      await this.#folder.writeTile(tile, bytes);
    await this.#folder.writeCheckpoint(publication.note);
    this.#published = publication.size;
    this.onWritten();
  }

  #takeFresh(size: number): readonly Uint8Array[] | undefined {
    const fresh = this.#fresh.get(size);
    for (const start of this.#fresh.keys()) if (start <= size) this.#fresh.delete(start);
    return fresh;
  }

  async #readStored(size: number, count: number): Promise<readonly Uint8Array[]> {
    const source = this.#source;
    if (source === undefined) return [];
    const { first } = await source.logBounds();
    this.#hasGap = first > size;
    if (this.#hasGap) {
      this.#log('error', 'audit-log.gap', { first, size });
      return [];
    }
    return await source.readEntries(size, count);
  }
}
