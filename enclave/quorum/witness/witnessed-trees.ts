import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { TreeHead } from '../../../audit/log/index.ts';
import { InternalError } from '../../../shared/errors.ts';
import { parseJson } from '../../../shared/json/index.ts';
import type { StateSource } from '../../log/index.ts';
import type { RecordChange, SealedStore } from '../../store/index.ts';

const TABLE = 'witnessed';
const MAX_RECORD_BYTES = 1024;

const recordSchema = z.strictObject({
  origin: z.string().max(255),
  size: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  root: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * What this node has cosigned last for each log, for ever: the log of a peer that leaves the configuration and comes back
 * goes on at the size that it had. A change is sealed in the commit of the entry that tells of it.
 */
export class WitnessedTrees implements StateSource {
  readonly #trees = new Map<string, TreeHead>();
  readonly #changed = new Set<string>();

  /** Reads the trees of earlier boots. @throws StoreError; InternalError for content that this node has not written */
  static async restore(store: Pick<SealedStore, 'list' | 'read'>): Promise<WitnessedTrees> {
    const trees = new WitnessedTrees();
    for (const place of store.list()) {
      const bytes = place.table === TABLE ? await store.read(place) : null;
      if (bytes === null) continue;
      const { origin, size, root } = parseRecord(bytes);
      trees.#trees.set(origin, { size, root: new Uint8Array(Buffer.from(root, 'hex')) });
    }
    return trees;
  }

  /** Returns the tree that was cosigned last for a log; undefined for none, ever. */
  find(origin: string): TreeHead | undefined {
    return this.#trees.get(origin);
  }

  keep(origin: string, tree: TreeHead): void {
    this.#trees.set(origin, tree);
    this.#changed.add(origin);
  }

  collectChanges(): readonly RecordChange[] {
    const changes = [...this.#changed].flatMap((origin) => {
      const tree = this.#trees.get(origin);
      if (tree === undefined) return [];
      const record = { origin, size: tree.size, root: Buffer.from(tree.root).toString('hex') };
      return [{ table: TABLE, id: recordId(origin), plaintext: Buffer.from(JSON.stringify(record)) }];
    });
    this.#changed.clear();
    return changes;
  }
}

/** Origins are longer than the names of records may be. */
const recordId = (origin: string) => createHash('sha256').update(origin).digest('hex');

function parseRecord(bytes: Uint8Array): z.infer<typeof recordSchema> {
  try {
    return recordSchema.parse(parseJson(bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: 2 }));
  } catch (error) {
    throw new InternalError('a record of a witnessed log is not of its form', error);
  }
}
