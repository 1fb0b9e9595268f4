import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../common/whole-file.ts';
import type { RuntimeIdentity } from '../identity/identity.ts';
import { writeBackup } from '../store/backup.ts';
import type { RecordSession } from '../store/record-store.ts';

const NAME = /^([0-9]{8}T[0-9]{9}Z)-([0-9a-f]{16})-e([0-9]{1,16})-l([0-9]{1,16})\.backup$/;

/** Snapshot of a store: a backup as `holdfast parent restore` reads it. */
export interface Snapshot {
  readonly path: string;
  readonly name: string;
  /** When it was made, ISO 8601. */
  readonly time: string;
  /** First half of the id of the store, hex. */
  readonly store: string;
  readonly epoch: number;
  readonly logSize: number;
  readonly bytes: number;
}

/** Lists the snapshots in a folder, the newest first; none where there is no folder. */
export async function listSnapshots(folder: string): Promise<Snapshot[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found: Snapshot[] = [];
  for (const name of names.toSorted((left, right) => (left < right ? 1 : -1))) {
    const [, time, store, epoch, logSize] = NAME.exec(name) ?? [];
    if (time === undefined || store === undefined) continue;
    const path = join(folder, name);
    const { size } = await stat(path);
    found.push({
      path,
      name,
      time: parseTime(time),
      store,
      epoch: Number(epoch),
      logSize: Number(logSize),
      bytes: size,
    });
  }
  return found;
}

/**
 * Writes all records of a store into a folder, and removes the oldest snapshots beyond `keep`. Records are sealed.
 * @returns path of the snapshot
 * @throws RecordStoreError STORE_BACKUP_TOO_LARGE, STORE_FAILED
 */
export async function takeSnapshot(
  session: RecordSession,
  identity: RuntimeIdentity,
  { folder, keep, now }: { readonly folder: string; readonly keep: number; readonly now: number },
): Promise<string> {
  const { store, epoch, log } = identity;
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, '');
  const path = join(folder, `${time}-${store.slice(0, 16)}-e${epoch}-l${log.size}.backup`);
  await writeWhole(path, await writeBackup(session), 0o600);
  for (const old of (await listSnapshots(folder)).slice(keep)) await rm(old.path);
  return path;
}

function parseTime(compact: string): string {
  return compact.replace(/^(....)(..)(..)T(..)(..)(..)(...)Z$/, '$1-$2-$3T$4:$5:$6.$7Z');
}
