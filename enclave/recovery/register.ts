import * as z from 'zod';
import { InternalError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';
import type { StateSource } from '../log/index.ts';
import type { RecordChange, SealedStore } from '../store/index.ts';

const TABLE = 'backups';
/** The most backups of one key or pool that are remembered: pages of a pool are one each. */
const MAX_PER_KEY = 32;
/** The most keepers of one backup that are remembered, the last ones. */
const MAX_KEEPERS = 8;

const hex48 = z.string().regex(/^[0-9a-f]{96}$/);
const recordSchema = z.strictObject({
  format: z.literal('holdfast-made-backup/1'),
  statement: hex48,
  key: z.string(),
  recoveryKey: z.string(),
  covers: z.array(z.string()),
  time: z.string(),
  /** Each by the credential that has signed: another one of the same person has said nothing. */
  keepers: z.array(z.strictObject({ id: z.string(), publicKey: z.string() })),
});

/** A backup that this node has made: what it covers, and who says that it is kept. */
export type MadeBackup = Readonly<Omit<z.infer<typeof recordSchema>, 'format'>>;
/** Somebody who has said that a backup is kept, and the Ed25519 key in hex that has signed it. */
export type Keeper = MadeBackup['keepers'][number];

/**
 * The backups that this node has made last, and which of them keepers have acknowledged; sealed in the commit of the entry
 * that tells of it. The parent has the backups themselves, and may have lost them: only what a keeper has signed counts.
 */
export class BackupRegister implements StateSource {
  /** By statement, the oldest first. */
  readonly #made = new Map<string, MadeBackup>();
  readonly #changed = new Set<string>();

  /**
   * Reads what earlier boots have made, and forgets what is encrypted to another recovery key than the manifest names now:
   * whoever changes that key no longer relies on the former one.
   * @throws StoreError; InternalError for content that this node has not written
   */
  static async restore(
    store: Pick<SealedStore, 'list' | 'read'>,
    recoveryKey: string,
  ): Promise<BackupRegister> {
    const register = new BackupRegister();
    const found: MadeBackup[] = [];
    for (const place of store.list()) {
      const bytes = place.table === TABLE ? await store.read(place) : null;
      if (bytes === null) continue;
      const parsed = recordSchema.safeParse(parseJson(bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: 3 }));
      if (!parsed.success) throw new InternalError('expected the record of a backup');
      const { format: _, ...made } = parsed.data;
      if (made.recoveryKey === recoveryKey) found.push(made);
      else register.#changed.add(made.statement);
    }
    for (const made of found.sort((one, other) => (one.time < other.time ? -1 : 1)))
      register.#made.set(made.statement, made);
    return register;
  }

  /** Remembers a backup that nobody has acknowledged, and forgets the oldest of its key where there are too many. */
  add(made: MadeBackup): void {
    const known = this.list(made.key);
    if (known.length >= MAX_PER_KEY)
      this.#set((known.find((one) => one.keepers.length === 0) ?? known[0])?.statement);
    this.#set(made.statement, made);
  }

  find(statement: string): MadeBackup | undefined {
    return this.#made.get(statement);
  }

  /** Notes that a keeper keeps a backup, and forgets those of before that cover nothing else and that nobody else keeps. */
  acknowledge(statement: string, keeper: Keeper): void {
    const made = this.#made.get(statement);
    if (made === undefined) throw new InternalError('expected a backup that this node has made');
    const isOther = ({ publicKey }: Keeper) => publicKey !== keeper.publicKey;
    for (const other of this.list(made.key)) {
      if (other.statement === statement) break;
      if (other.covers.every((name) => made.covers.includes(name)) && !other.keepers.some(isOther))
        this.#set(other.statement);
    }
    this.#set(statement, {
      ...made,
      keepers: [...made.keepers.filter(isOther), keeper].slice(-MAX_KEEPERS),
    });
  }

  /** Lists the backups of a key or pool, the oldest first. */
  list(key: string): MadeBackup[] {
    return [...this.#made.values()].filter((one) => one.key === key);
  }

  collectChanges(): readonly RecordChange[] {
    const changes = [...this.#changed].map((id) => {
      const made = this.#made.get(id);
      const plaintext =
        made === undefined
          ? null
          : Buffer.from(JSON.stringify({ format: 'holdfast-made-backup/1', ...made }));
      return { table: TABLE, id, plaintext };
    });
    this.#changed.clear();
    return changes;
  }

  #set(statement: string | undefined, made?: MadeBackup): void {
    if (statement === undefined) return;
    if (made === undefined) this.#made.delete(statement);
    else this.#made.set(statement, made);
    this.#changed.add(statement);
  }
}
