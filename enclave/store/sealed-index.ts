import type { RecordKey } from '../../shared/protocol/control.ts';
import { decodeNode, describeNode, type EncodedNode, encodeNode, type RecordState } from './index-node.ts';
import {
  childAt,
  countRecords,
  EMPTY_INDEX,
  FAN_OUT,
  type IndexEntry,
  type IndexNode,
  isLeaf,
  listEntries,
} from './record-index.ts';

/** The table of the index's nodes. The id of a node is its path, a digit for each step down from the root record. */
const INDEX_TABLE = 'index';

/** An index as it lies in the parent's store: the tree, and the state of each node's own record by its path. */
export interface SealedIndex {
  readonly tree: IndexNode;
  /** The state of each node by its path; the topmost node lies in the root record and has none. */
  readonly nodes: Map<string, RecordState>;
}

/** Makes an index of which no node is written yet. */
export function makeUnwrittenIndex(tree: IndexNode = EMPTY_INDEX): SealedIndex {
  return { tree, nodes: new Map() };
}

export function nodePlace(path: string): RecordKey {
  return { table: INDEX_TABLE, id: path };
}

/**
 * Reads the index below its topmost node.
 *
 * @param readNode reads the plaintext of the record at a place; throws where the record is in another state
 */
export async function readIndex(
  top: EncodedNode,
  readNode: (place: RecordKey, state: RecordState) => Promise<Uint8Array>,
): Promise<SealedIndex> {
  const nodes = new Map<string, RecordState>();
  async function read(path: string, node: EncodedNode): Promise<IndexNode> {
    if ('records' in node) {
      const records = node.records.map(([table, id, revision, digest]): IndexEntry => {
        return { table, id, revision, digest };
      });
      return records.length === 0 ? EMPTY_INDEX : { records };
    }
    const children: IndexNode[] = [];
    for (const [digit, sealed] of node.children.entries()) {
      if (sealed === null) {
        children.push(EMPTY_INDEX);
        continue;
      }
      const [revision, digest] = sealed;
      const below = `${path}${digit}`;
      nodes.set(below, { revision, digest });
      // Not in parallel: the control connection carries one request at a time.
      children.push(await read(below, decodeNode(await readNode(nodePlace(below), { revision, digest }))));
    }
    return { children, size: children.reduce((sum, child) => sum + countRecords(child), 0) };
  }
  return { tree: await read('', top), nodes };
}

/** A node that is to be written anew, or deleted where `plaintext` is null. */
export interface NodeChange extends RecordKey {
  readonly before: RecordState | undefined;
  readonly plaintext: Uint8Array | null;
}

/** An index with the writes that a commit must contain for it. */
export interface IndexUpdate {
  readonly tree: IndexNode;
  /** The topmost node, for the root record. */
  readonly top: EncodedNode;
  /** The new states of nodes that change, by path; undefined for nodes that are deleted. */
  readonly changed: ReadonlyMap<string, RecordState | undefined>;
}

/**
 * Writes the nodes in which `tree` differs from the index as it is sealed, children first, since a node names the
 * state of each of its children.
 *
 * @param write seals a node and returns its new state
 */
export function writeIndex(
  { tree: before, nodes }: SealedIndex,
  tree: IndexNode,
  write: (change: NodeChange) => RecordState | undefined,
): IndexUpdate {
  const changed = new Map<string, RecordState | undefined>();
  const stateAt = (path: string) => (changed.has(path) ? changed.get(path) : nodes.get(path));
  const stateOf = (path: string) => (digit: number) => stateAt(`${path}${digit}`);
  function visit(path: string, old: IndexNode, next: IndexNode): void {
    if (old === next) return;
    if (!isLeaf(old) || !isLeaf(next)) {
      for (let digit = 0; digit < FAN_OUT; digit += 1) {
        visit(`${path}${digit}`, childAt(old, digit), childAt(next, digit));
      }
    }
    if (path === '') return;
    const known = nodes.get(path);
    const isEmpty = countRecords(next) === 0;
    if (isEmpty && known === undefined) return;
    const plaintext = isEmpty ? null : encodeNode(describeNode(next, stateOf(path)));
    changed.set(path, write({ ...nodePlace(path), before: known, plaintext }));
  }
  visit('', before, tree);
  return { tree, top: describeNode(tree, stateOf('')), changed };
}

/**
 * Returns the index after an update has been written. Changes the map of `nodes` in place, since a copy would cost more
 * with every record.
 */
export function applyUpdate({ nodes }: SealedIndex, { tree, changed }: IndexUpdate): SealedIndex {
  for (const [path, state] of changed) {
    if (state === undefined) nodes.delete(path);
    else nodes.set(path, state);
  }
  return { tree, nodes };
}

/** Lists every record that an index accounts for, its own nodes among them. */
export function* listSealed({
  tree,
  nodes,
}: SealedIndex): Generator<RecordKey & Pick<RecordState, 'revision'>> {
  yield* listEntries(tree);
  for (const [path, { revision }] of nodes) yield { ...nodePlace(path), revision };
}
