import { errorCode } from '../../shared/errors.ts';
import type { LogAddition, RecordWrite } from '../../shared/protocol/control.ts';
import type { Log } from '../common/log.ts';
import type { RecordSession } from '../store/record-store.ts';
import { assertIdentity, knownStore } from './compare.ts';
import { readIdentityFile, writeIdentityFile } from './identity-file.ts';
import {
  describeEntry,
  IDENTITY_FORMAT,
  leafOf,
  type ReadDropped,
  readEntry,
  readIdentity,
  type RuntimeIdentity,
} from './identity.ts';

/** Milliseconds between two notes, while the store is being written. */
const NOTE_MS = 1_000;

/** Observer of what the enclave does with its store. */
export interface StoreObserver {
  /** Called when the enclave has opened the store. */
  opened(session: RecordSession): Promise<void>;
  /** Called after each commit. */
  committed(writes: readonly RecordWrite[], log: LogAddition | undefined): void;
}

/** What an operator sees of the identity. */
export interface IdentityStatus {
  /** Identity of the store that is open, or was open last; null before the first. */
  readonly current: RuntimeIdentity | null;
  /** Why the note was left as it is; null where store and note agree. */
  readonly refusal: string | null;
}

export interface IdentityKeeperOptions {
  /** File of the note. */
  readonly path: string;
  readonly readDropped: ReadDropped;
  /** Order to initialise that the configuration has now; null where it has none. */
  readonly order: () => Promise<string | null>;
  readonly log: Log;
}

/**
 * Keeps the note of a node's runtime identity up to date. A store that is older than the note, or another one, leaves the
 * note as it is: what was known of the newest one is not forgotten because somebody put an older one in its place.
 */
export class IdentityKeeper implements StoreObserver {
  readonly #options: IdentityKeeperOptions;
  #current: RuntimeIdentity | null = null;
  /** Code of the difference between store and note; the note is not touched while there is one. */
  #refusal: string | null = null;
  #isNew = false;
  #order: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: IdentityKeeperOptions) {
    this.#options = options;
  }

  get status(): IdentityStatus {
    return { current: this.#current, refusal: this.#refusal };
  }

  async opened(session: RecordSession): Promise<void> {
    const { path, readDropped, log } = this.#options;
    try {
      const known = await readIdentityFile(path);
      this.#current = await readIdentity(session, readDropped, known);
      this.#refusal = null;
      this.#isNew = this.#current === null;
      this.#order = this.#isNew ? await this.#options.order() : (known?.order ?? null);
      if (this.#current === null) return;
      await assertIdentity({
        found: this.#current,
        leafAt: async (index) => {
          const entry = await readEntry(session, readDropped, index);
          return entry === undefined ? undefined : leafOf(entry);
        },
        expected: known ?? this.#current,
        known: known === null ? [] : [knownStore(known)],
        order: { given: null, known: null },
      });
      await this.#note();
    } catch (error) {
      // The node itself decides whether it starts: a parent that is wrong about a store must not keep it from serving.
      this.#refusal = errorCode(error);
      log('error', 'identity.refused', { code: this.#refusal });
    }
  }

  committed(writes: readonly RecordWrite[], addition: LogAddition | undefined): void {
    const root = writes.find(({ table, id }) => table === 'store' && id === 'root');
    if (root === undefined || this.#refusal !== null) return;
    const entry = addition?.entries.at(-1);
    const first = addition?.start === 0 ? addition.entries[0] : undefined;
    const store = first === undefined ? this.#current?.store : leafOf(first);
    if (store === undefined || addition === undefined || entry === undefined) {
      if (this.#current !== null) this.#take({ ...this.#current, epoch: root.expectedRevision + 1 });
      return;
    }
    try {
      this.#take({
        ...describeEntry(entry),
        format: IDENTITY_FORMAT,
        store,
        order: this.#order,
        epoch: root.expectedRevision + 1,
        log: { size: addition.start + addition.entries.length, last: leafOf(entry) },
      });
    } catch (error) {
      this.#options.log('warn', 'identity.not-read', { code: errorCode(error) });
    }
  }

  /** Notes what is not noted yet. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#current !== null && this.#refusal === null) await this.#note();
  }

  #take(identity: RuntimeIdentity): void {
    this.#current = identity;
    // The first entry of a store is noted at once: the note names it from then on.
    if (this.#isNew) {
      this.#isNew = false;
      void this.#note();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#note();
    }, NOTE_MS).unref();
  }

  #note(): Promise<void> {
    const { path, log } = this.#options;
    this.#writing = this.#writing
      .then(async () => {
        if (this.#current !== null) await writeIdentityFile(path, this.#current);
      })
      .catch((error: unknown) => {
        log('error', 'identity.not-noted', { code: errorCode(error) });
      });
    return this.#writing;
  }
}
