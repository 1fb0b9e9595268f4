import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import { ACCUMULATIONS_TABLE, Accumulations } from '../../policy/index.ts';
import { PendingRequests } from '../approvals/index.ts';
import type { StateSource } from '../log/index.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { SealedStore } from '../store/index.ts';

/** What decisions depend on beside the configuration: sealed, and brought back at each start. */
export interface DecisionState {
  readonly requests: PendingRequests;
  readonly accumulations: Accumulations;
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
  const accumulations = Accumulations.restore(await readTable(store, ACCUMULATIONS_TABLE));
  const spent: StateSource = {
    collectChanges: () =>
      accumulations.collectChanges().map((change) => ({ table: ACCUMULATIONS_TABLE, ...change })),
  };
  return { requests, accumulations, sources: [requests, spent] };
}

/** Reads all records of a table. */
async function readTable(store: Pick<SealedStore, 'list' | 'read'>, table: string): Promise<Uint8Array[]> {
  const records: Uint8Array[] = [];
  for (const place of store.list()) {
    const plaintext = place.table === table ? await store.read(place) : null;
    if (plaintext !== null) records.push(plaintext);
  }
  return records;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
