import { IdentityError } from './errors.ts';
import { leafOf, type RuntimeIdentity } from './identity.ts';

/** Vault and node that a store has to belong to. */
export interface ExpectedNode {
  readonly namespace: string;
  readonly environment: string;
  readonly node: number;
}

/** What is known of a store from elsewhere: a file on the host, a deployment, the word of others. */
export interface KnownStore {
  readonly store: string;
  readonly epoch: number;
  readonly logSize: number;
  /** Leaf hash of the entry before `logSize`; left out where only the size is known. */
  readonly last?: string;
}

/** Turns a noted identity into what is known of its store. */
export function knownStore({ store, epoch, log }: RuntimeIdentity): KnownStore {
  return { store, epoch, logSize: log.size, last: log.last };
}

export interface IdentityCheck {
  /** The store as it is; null where there is none, or none that a node has started. */
  readonly found: RuntimeIdentity | null;
  /** Leaf hash of an entry of the store's log; undefined where it cannot be read any more. */
  readonly leafAt: (index: number) => Promise<string | undefined>;
  readonly expected: ExpectedNode;
  /** The store that was in use, by each that knows of one. */
  readonly known: readonly KnownStore[];
  /** Order to start a store that the signed configuration has, and that by which the known store was started. */
  readonly order: { readonly given: string | null; readonly known: string | null };
}

/**
 * Asserts that a store is the one of this node, and no earlier state of it. A store that was lost, and one that a node has
 * not started yet, is taken only where the signed configuration orders another start.
 * @throws IdentityError IDENTITY_OTHER_VAULT, IDENTITY_OTHER_NODE, IDENTITY_OTHER_STORE, IDENTITY_OLDER_EPOCH,
 * IDENTITY_OTHER_HISTORY, IDENTITY_STORE_MISSING
 */
export async function assertIdentity({
  found,
  leafAt,
  expected,
  known,
  order,
}: IdentityCheck): Promise<void> {
  if (found === null) {
    const isOrdered = order.given !== null && (known.length === 0 || order.given !== order.known);
    if (isOrdered) return;
    const [lost] = known;
    throw new IdentityError(
      'IDENTITY_STORE_MISSING',
      lost === undefined
        ? 'there is no store, and the configuration has no order to start one'
        : 'the store that was in use is gone, and the configuration has no new order to start another',
      { ...(lost === undefined ? {} : { store: lost.store, epoch: lost.epoch }), order: order.given },
    );
  }
  assertNode(found, expected);
  for (const one of known) await assertContinues(found, one, leafAt);
}

/** Asserts vault and node of a store. @throws IdentityError IDENTITY_OTHER_VAULT, IDENTITY_OTHER_NODE */
export function assertNode(found: ExpectedNode, expected: ExpectedNode): void {
  if (found.namespace !== expected.namespace || found.environment !== expected.environment) {
    throw new IdentityError('IDENTITY_OTHER_VAULT', 'the store belongs to another vault', {
      expected: `${expected.namespace}/${expected.environment}`,
      actual: `${found.namespace}/${found.environment}`,
    });
  }
  if (found.node !== expected.node) {
    throw new IdentityError('IDENTITY_OTHER_NODE', 'the store belongs to another node', {
      expected: expected.node,
      actual: found.node,
    });
  }
}

/** Asserts that an entry is the last one that a parent noted. @throws IdentityError IDENTITY_OTHER_HISTORY */
export function assertSameHistory({ log }: RuntimeIdentity, entry: Uint8Array): void {
  const actual = leafOf(entry);
  if (actual !== log.last) throw otherHistory(log.size - 1, log.last, actual);
}

function otherHistory(index: number, expected: string, actual: string): IdentityError {
  return new IdentityError(
    'IDENTITY_OTHER_HISTORY',
    'the log has another entry than the one that was in use',
    { index, expected, actual },
  );
}

async function assertContinues(
  found: RuntimeIdentity,
  known: KnownStore,
  leafAt: IdentityCheck['leafAt'],
): Promise<void> {
  if (found.store !== known.store) {
    throw new IdentityError('IDENTITY_OTHER_STORE', 'another store of this node was in use', {
      expected: known.store,
      actual: found.store,
    });
  }
  if (found.epoch < known.epoch || found.log.size < known.logSize) {
    throw new IdentityError(
      'IDENTITY_OLDER_EPOCH',
      'the store is an earlier state of the one that was in use',
      {
        expected: { epoch: known.epoch, logSize: known.logSize },
        actual: { epoch: found.epoch, logSize: found.log.size },
      },
    );
  }
  if (known.last === undefined) return;
  const leaf = found.log.size === known.logSize ? found.log.last : await leafAt(known.logSize - 1);
  if (leaf !== undefined && leaf !== known.last) {
    throw otherHistory(known.logSize - 1, known.last, leaf);
  }
}
