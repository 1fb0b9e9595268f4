import { stat } from 'node:fs/promises';
import { createStore } from '../config/build.ts';
import type { ParentConfig } from '../config/schema.ts';
import { assertIdentity, knownStore, type KnownStore } from '../identity/compare.ts';
import { createDroppedReader } from '../identity/dropped-entries.ts';
import { readIdentityFile } from '../identity/identity-file.ts';
import { leafOf, readEntry, readIdentity, type RuntimeIdentity } from '../identity/identity.ts';
import { unsafeReadOrder } from '../identity/order.ts';
import type { RecordSession } from '../store/record-store.ts';
import type { Deployment, RequiredIdentity } from '../../shared/deployment/index.ts';

/** What a store is held against. */
export interface StoreExpectation {
  readonly deployment: Pick<Deployment, 'namespace' | 'environment' | 'node' | 'identity'>;
  /** Signed configuration, whose order to initialise counts. */
  readonly configuration: Uint8Array;
  /** Identity that the parent noted; null where it noted none. */
  readonly noted: RuntimeIdentity | null;
}

/** Reads the note of the parent. @throws IdentityError IDENTITY_UNREADABLE */
export async function readNoted({ identity }: ParentConfig): Promise<RuntimeIdentity | null> {
  return identity === undefined ? null : await readIdentityFile(identity);
}

/**
 * Asserts the identity of a store that a running parent has told. @throws IdentityError
 */
export async function assertTold(found: RuntimeIdentity, expectation: StoreExpectation): Promise<void> {
  await assertStore(found, () => Promise.resolve(undefined), expectation);
}

/**
 * Opens the store of a host whose parent is stopped, asserts its identity, and calls `act` with the open store; with null
 * where there is none.
 * @throws IdentityError; RecordStoreError STORE_BUSY, STORE_FAILED
 */
export async function inspectStore<T>(
  config: ParentConfig,
  expectation: StoreExpectation,
  act: (found: { readonly session: RecordSession; readonly identity: RuntimeIdentity } | null) => Promise<T>,
): Promise<T> {
  if ('sqlite' in config.store && !(await exists(config.store.sqlite))) {
    await assertStore(null, () => Promise.resolve(undefined), expectation);
    return await act(null);
  }
  const readDropped = createDroppedReader(config.auditLog?.directory);
  const session = await (await createStore(config)).open();
  try {
    const identity = await readIdentity(session, readDropped, expectation.noted);
    const leafAt = async (index: number) => {
      const entry = await readEntry(session, readDropped, index);
      return entry === undefined ? undefined : leafOf(entry);
    };
    await assertStore(identity, leafAt, expectation);
    return await act(identity === null ? null : { session, identity });
  } finally {
    await session.close();
  }
}

async function assertStore(
  found: RuntimeIdentity | null,
  leafAt: (index: number) => Promise<string | undefined>,
  { deployment, configuration, noted }: StoreExpectation,
): Promise<void> {
  const known = [
    ...(noted === null ? [] : [knownStore(noted)]),
    ...(deployment.identity === null ? [] : [requiredStore(deployment.identity)]),
  ];
  await assertIdentity({
    found,
    leafAt,
    expected: deployment,
    known,
    order: { given: unsafeReadOrder(configuration), known: noted?.order ?? null },
  });
}

function requiredStore({ store, epoch, logSize }: RequiredIdentity): KnownStore {
  return { store, epoch, logSize };
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
