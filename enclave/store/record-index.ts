import { hash } from 'node:crypto';
import { encodeCbor } from '../../shared/cbor/index.ts';
import { compareRecordKeys, type RecordKey } from '../../shared/protocol/control.ts';

/** Number of records that a leaf lists before it is split into {@link FAN_OUT} nodes. */
export const MAX_LEAF_RECORDS = 32;
/** Number of children of a branch: one for each digit of base 4. */
export const FAN_OUT = 4;

/** A record in the index: its place, the revision of its newest write, and the SHA-256 of its sealed bytes. */
export interface IndexEntry extends RecordKey {
  readonly revision: number;
  readonly digest: Uint8Array;
}

/** Up to {@link MAX_LEAF_RECORDS} records, in ascending order of table and id. */
export interface IndexLeaf {
  readonly records: readonly IndexEntry[];
}

/** More records than a leaf lists: {@link FAN_OUT} nodes by the next digit of their record paths. */
export interface IndexBranch {
  readonly children: readonly IndexNode[];
  /** Number of records below. */
  readonly size: number;
}

/**
 * The index of a sealed store: a tree over the hashes of the records' places, and so as deep as the logarithm of
 * their number. Its shape follows from the set of records alone: a node is a leaf exactly when no more than
 * {@link MAX_LEAF_RECORDS} records are below it. Nodes are immutable, so that two trees can share them.
 */
export type IndexNode = IndexLeaf | IndexBranch;

export const EMPTY_INDEX: IndexLeaf = Object.freeze({ records: Object.freeze([]) });

/** A record's new entry; `entry: undefined` takes it out. */
export interface IndexChange {
  readonly place: RecordKey;
  readonly entry: IndexEntry | undefined;
}

type Digits = (depth: number) => number;

/** The digits of a record's path: SHA-256 of CBOR `[table, id]`, two bits each, from the most significant one down. */
export function recordPath({ table, id }: RecordKey): Digits {
  const digest = hash('sha256', encodeCbor([table, id]), 'buffer');
  return (depth) => ((digest[depth >> 2] ?? 0) >> (6 - 2 * (depth & 3))) & 3;
}

export function isLeaf(node: IndexNode): node is IndexLeaf {
  return 'records' in node;
}

/** Counts the records in a node and below it. */
export function countRecords(node: IndexNode): number {
  return isLeaf(node) ? node.records.length : node.size;
}

/** Returns the child at a digit; the children of a leaf count as empty. */
export function childAt(node: IndexNode, digit: number): IndexNode {
  return isLeaf(node) ? EMPTY_INDEX : (node.children[digit] ?? EMPTY_INDEX);
}

export function findEntry(index: IndexNode, place: RecordKey): IndexEntry | undefined {
  let node = index;
  if (!isLeaf(node)) {
    const digitAt = recordPath(place);
    for (let depth = 0; !isLeaf(node); depth += 1) node = childAt(node, digitAt(depth));
  }
  return node.records.find((entry) => isSamePlace(entry, place));
}

export function* listEntries(node: IndexNode): Generator<IndexEntry> {
  if (isLeaf(node)) yield* node.records;
  else for (const child of node.children) yield* listEntries(child);
}

/** Returns the index after changes, no two of which may name the same place. */
export function updateIndex(index: IndexNode, changes: readonly IndexChange[]): IndexNode {
  return update(
    index,
    changes.map((change) => ({ ...change, digitAt: recordPath(change.place) })),
    0,
  );
}

type LocatedChange = IndexChange & { readonly digitAt: Digits };

function update(node: IndexNode, changes: readonly LocatedChange[], depth: number): IndexNode {
  if (changes.length === 0) return node;
  if (isLeaf(node)) return makeNode(changeRecords(node.records, changes), depth);
  const children = node.children.map((child, digit) =>
    update(
      child,
      changes.filter(({ digitAt }) => digitAt(depth) === digit),
      depth + 1,
    ),
  );
  const size = children.reduce((sum, child) => sum + countRecords(child), 0);
  const branch = { children, size };
  return size > MAX_LEAF_RECORDS ? branch : makeNode([...listEntries(branch)], depth);
}

function changeRecords(records: readonly IndexEntry[], changes: readonly IndexChange[]): IndexEntry[] {
  const kept = records.filter((entry) => !changes.some(({ place }) => isSamePlace(entry, place)));
  return [...kept, ...changes.flatMap(({ entry }) => entry ?? [])];
}

/** Makes the node of these records, whose paths agree in their first `depth` digits. */
function makeNode(records: readonly IndexEntry[], depth: number): IndexNode {
  if (records.length === 0) return EMPTY_INDEX;
  if (records.length <= MAX_LEAF_RECORDS) return { records: records.toSorted(compareRecordKeys) };
  const groups: IndexEntry[][] = Array.from({ length: FAN_OUT }, () => []);
  for (const entry of records) groups[recordPath(entry)(depth)]?.push(entry);
  return { children: groups.map((group) => makeNode(group, depth + 1)), size: records.length };
}

function isSamePlace(left: RecordKey, right: RecordKey): boolean {
  return left.id === right.id && left.table === right.table;
}
