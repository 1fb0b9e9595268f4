import { stat, writeFile } from 'node:fs/promises';
import { createStore } from '../../parent/config/build.ts';
import type { ParentConfig } from '../../parent/config/schema.ts';
import type { RecordSession } from '../../parent/index.ts';
import { readParentConfig } from '../../parent/service.ts';
import { assertSameHistory } from '../../parent/identity/compare.ts';
import { readIdentityFile } from '../../parent/identity/identity-file.ts';
import { assertNoRollback, findKnownSizes } from '../../parent/identity/known-sizes.ts';
import { MAX_BACKUP_BYTES, parseBackup, restoreBackup, writeBackup } from '../../parent/store/backup.ts';
import type { KeptEntries } from '../../parent/store/record-store.ts';
import { type Command, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { printable } from '../common/printable.ts';
import { describeSystemError, systemCode } from '../common/system-error.ts';

export const DEFAULT_CONFIG = '/etc/holdfast/parent.yaml';
export const configOption = {
  config: {
    type: 'string',
    value: 'FILE',
    description: `YAML or JSON, see docs/parent.md (default: ${DEFAULT_CONFIG})`,
  },
} as const;

const backupCommand: Command = {
  name: 'parent backup',
  summary: 'Write all sealed records to a file. The parent must be stopped: the store has one owner.',
  positionals: 'FILE',
  options: configOption,
  examples: ['holdfast parent backup records.backup'],
  async run({ positionals: [path = ''], text }) {
    const config = await readParentConfig(text('config') ?? DEFAULT_CONFIG);
    if ('sqlite' in config.store) await assertThere(config.store.sqlite);
    return await withStore(config, async (session) => {
      const backup = await writeBackup(session);
      await writeFile(path, backup, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
        throw new UsageError(`cannot write ${path}: ${describeSystemError(error)}`);
      });
      const records = (await session.list()).length;
      return {
        ok: true,
        text: `${records} records written to ${path}`,
        data: { records, bytes: backup.length },
      };
    });
  },
};

const restoreCommand: Command = {
  name: 'parent restore',
  summary:
    'Put the records of a backup into an empty store, SQLite or PostgreSQL, while the parent is stopped.',
  positionals: 'FILE',
  options: configOption,
  examples: ['holdfast parent restore records.backup --config /etc/holdfast/parent.yaml'],
  async run({ positionals: [path = ''], text, io }) {
    const config = await readParentConfig(text('config') ?? DEFAULT_CONFIG);
    const backup = await readInput(path, io, MAX_BACKUP_BYTES);
    const { log } = parseBackup(backup);
    const { known, unreached } = await assertNotRolledBack(config, log ?? { start: 0, entries: [] });
    return await withStore(config, async (session) => {
      const records = await restoreBackup(session, backup);
      const lines = [
        `${records} records restored`,
        ...known.map(
          ({ source, size }) => `${source} knows ${size} entries of the log, and this backup has no fewer`,
        ),
        ...unreached.map(
          (source) =>
            `NOT ASKED: ${source}; the node itself refuses a store that its witnesses know to be older`,
        ),
      ];
      return { ok: true, text: lines.map(printable).join('\n'), data: { records, known, unreached } };
    });
  },
};

/**
 * Asserts that a backup is no earlier state than this host and others know.
 * @throws IdentityError RESTORE_ROLLS_BACK, IDENTITY_OTHER_HISTORY, IDENTITY_UNREADABLE
 */
async function assertNotRolledBack(config: ParentConfig, { start, entries }: KeptEntries) {
  const size = start + entries.length;
  const noted = config.identity === undefined ? null : await readIdentityFile(config.identity);
  const found = await findKnownSizes(config, async (bucket, key, maxBytes) => {
    // The SDK takes a while to load, and few hosts have a bucket.
    const { openBucketObject } = await import('../../parent/artifacts/s3.ts');
    return openBucketObject(config.region, { bucket, key, maxBytes });
  });
  const note =
    noted === null ? [] : [{ source: 'the note of the parent on this host', size: noted.log.size }];
  const known = [...note, ...found.known];
  assertNoRollback(size, known);
  const entry = noted === null ? undefined : entries[noted.log.size - 1 - start];
  if (noted !== null && entry !== undefined) assertSameHistory(noted, entry);
  return { known, unreached: found.unreached };
}

/**
 * Asserts that a store exists. Opening would make it: a mistyped path would give an empty backup, and a file that is
 * not the service's.
 */
async function assertThere(path: string): Promise<void> {
  const code = await stat(path).then(() => undefined, systemCode);
  if (code === 'ENOENT') throw new CliError('STORE_MISSING', 'there is no store to back up', { path });
}

async function withStore<T>(config: ParentConfig, act: (session: RecordSession) => Promise<T>): Promise<T> {
  const session = await (await createStore(config)).open();
  try {
    return await act(session);
  } finally {
    await session.close();
  }
}

/** Verbs that look after the records while the parent is stopped. */
export const storeCommands: readonly Command[] = [backupCommand, restoreCommand];
