import { z } from 'zod';
import { hashLeaf } from '../../audit/log/index.ts';
import { parseEntry, ReceiptError } from '../../audit/receipt/index.ts';
import type { RecordSession } from '../store/record-store.ts';
import { IdentityError } from './errors.ts';

export const IDENTITY_FORMAT = 'holdfast-identity/1';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const counter = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const runtimeIdentitySchema = z.strictObject({
  format: z.literal(IDENTITY_FORMAT),
  /** Leaf hash of the log's first entry, which has fresh entropy in it: the store's id. */
  store: hex(32),
  /** Id of the order to initialise; null where the parent has not seen it. */
  order: z.string().max(128).nullable(),
  namespace: label,
  environment: label,
  node: z.int().min(1).max(255),
  /** SHA-384 of the manifest that wrote the newest entry. */
  manifest: hex(48),
  /** Configuration that was in force at the newest entry. */
  configuration: z.strictObject({ version: z.int().min(1), digest: hex(48) }),
  /** Revision of the root record: how often the store was written. */
  epoch: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** Number of entries, and the leaf hash of the last one. */
  log: z.strictObject({ size: counter, last: hex(32) }),
});

/** Identity of a node's store, as its host knows it (parent/deploy/SPEC.md). */
export type RuntimeIdentity = z.infer<typeof runtimeIdentitySchema>;

/** Reads an entry that the store has dropped, from the log's folder; undefined where it is not there either. */
export type ReadDropped = (index: number) => Promise<Uint8Array | undefined>;

const ROOT = { table: 'store', id: 'root' } as const;

/**
 * Reads the identity of an open store; null of a store that no node has started.
 * @param known identity that was noted before: it names the first entry where nothing else has it
 * @throws IdentityError IDENTITY_UNREADABLE; RecordStoreError STORE_FAILED
 */
export async function readIdentity(
  session: Pick<RecordSession, 'read' | 'logBounds' | 'readEntries'>,
  readDropped: ReadDropped,
  known: RuntimeIdentity | null = null,
): Promise<RuntimeIdentity | null> {
  const root = await session.read(ROOT);
  const { size } = await session.logBounds();
  if (root === null && size === 0) return null;
  const last = size === 0 ? undefined : await readEntry(session, readDropped, size - 1);
  if (root === null || last === undefined)
    throw unreadable('records or entries of the log are missing', { size });
  const first = await readEntry(session, readDropped, 0);
  const store = first === undefined ? await storeKnown(session, readDropped, known) : leafOf(first);
  return {
    ...describeEntry(last),
    format: IDENTITY_FORMAT,
    store,
    order: orderOf(store, known),
    epoch: root.revision,
    log: { size, last: leafOf(last) },
  };
}

function orderOf(store: string, known: RuntimeIdentity | null): string | null {
  return known?.store === store ? known.order : null;
}

/** Id of a store whose first entry is gone: that of the identity noted before, where the log still has its last entry. */
async function storeKnown(
  session: Pick<RecordSession, 'logBounds' | 'readEntries'>,
  readDropped: ReadDropped,
  known: RuntimeIdentity | null,
): Promise<string> {
  const entry = known === null ? undefined : await readEntry(session, readDropped, known.log.size - 1);
  if (known === null || entry === undefined || leafOf(entry) !== known.log.last) {
    throw unreadable('the first entry of the log is neither in the store nor in the folder of the log', {});
  }
  return known.store;
}

/** Reads one entry of the log; undefined where neither the store nor the folder has it. */
export async function readEntry(
  session: Pick<RecordSession, 'logBounds' | 'readEntries'>,
  readDropped: ReadDropped,
  index: number,
): Promise<Uint8Array | undefined> {
  const { first, size } = await session.logBounds();
  if (index < 0 || index >= size) return undefined;
  return index < first ? await readDropped(index) : (await session.readEntries(index, 1))[0];
}

/** Computes the leaf hash of an entry in hex. */
export function leafOf(entry: Uint8Array): string {
  return Buffer.from(hashLeaf(entry)).toString('hex');
}

/** Reads what an entry says of its node. @throws IdentityError IDENTITY_UNREADABLE */
export function describeEntry(
  bytes: Uint8Array,
): Pick<RuntimeIdentity, 'namespace' | 'environment' | 'node' | 'manifest' | 'configuration'> {
  try {
    const { predicate } = parseEntry(bytes);
    const { node, configuration } = predicate;
    const { namespace, environment, index, manifest } = node;
    return { namespace, environment, node: index, manifest, configuration };
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    throw unreadable('the newest entry of the log is none of a node', {}, error);
  }
}

function unreadable(message: string, details: Record<string, unknown>, cause?: unknown): IdentityError {
  return new IdentityError('IDENTITY_UNREADABLE', message, details, cause);
}
