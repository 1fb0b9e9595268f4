import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import { ACCUMULATIONS_TABLE, Accumulations } from '../../policy/index.ts';
import { Watermarks } from '../../policy/watermarks/index.ts';
import { PendingRequests } from '../approvals/index.ts';
import type { StateSource } from '../log/index.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { SealedStore } from '../store/index.ts';
import type { AuthorisationState } from './authorisation.ts';

const WATERMARKS_TABLE = 'watermarks';

/** What decisions depend on beside the configuration: sealed, and brought back at each start. */
export interface DecisionState extends AuthorisationState {
  readonly requests: PendingRequests;
  /** Where the log gets what has changed, for the commit with the next entries. */
  readonly sources: readonly StateSource[];
}

export interface DecisionStateOptions {
  readonly signed: SignedConfiguration;
  readonly measured: MeasuredManifest;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** Reads the state of earlier boots from a store. @throws StoreError */
export async function restoreDecisionState(
  store: Pick<SealedStore, 'list' | 'read'>,
  { signed: { configuration, digest }, measured, now }: DecisionStateOptions,
): Promise<DecisionState> {
  const { requests } = await PendingRequests.restore(store, {
    manifest: hex(measured.digest),
    configuration: { version: configuration.version, digest: hex(digest) },
    approvers: configuration.approvers,
    groups: new Map(configuration.approverGroups.map(({ id, approvers }) => [id, approvers])),
    clients: new Map(configuration.clients.map(({ id, publicKey, person }) => [id, { publicKey, person }])),
    now,
  });
  const spendings = await readTable(store, ACCUMULATIONS_TABLE);
  const accumulations = Accumulations.restore(spendings.map(({ bytes }) => bytes));
  const watermarks = Watermarks.restore(await readTable(store, WATERMARKS_TABLE));
  const spent: StateSource = {
    collectChanges: () =>
      accumulations.collectChanges().map((change) => ({ table: ACCUMULATIONS_TABLE, ...change })),
  };
  const marked: StateSource = {
    collectChanges: () =>
      watermarks.collectDirty().map(({ id, bytes }) => ({ table: WATERMARKS_TABLE, id, plaintext: bytes })),
  };
  return { requests, accumulations, watermarks, sources: [requests, spent, marked] };
}

/** Reads all records of a table. */
async function readTable(
  store: Pick<SealedStore, 'list' | 'read'>,
  table: string,
): Promise<{ readonly id: string; readonly bytes: Uint8Array }[]> {
  const records: { id: string; bytes: Uint8Array }[] = [];
  for (const place of store.list()) {
    const bytes = place.table === table ? await store.read(place) : null;
    if (bytes !== null) records.push({ id: place.id, bytes });
  }
  return records;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
