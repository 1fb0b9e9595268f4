import { stat, writeFile } from 'node:fs/promises';
import { createStore } from '../../parent/config/build.ts';
import type { ParentConfig } from '../../parent/config/schema.ts';
import type { RecordSession } from '../../parent/index.ts';
import { readParentConfig } from '../../parent/service.ts';
import { MAX_BACKUP_BYTES, restoreBackup, writeBackup } from '../../parent/store/backup.ts';
import { type Command, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
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
    const { store } = await readParentConfig(text('config') ?? DEFAULT_CONFIG);
    if ('sqlite' in store) await assertThere(store.sqlite);
    return await withStore(store, async (session) => {
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
    const { store } = await readParentConfig(text('config') ?? DEFAULT_CONFIG);
    const backup = await readInput(path, io, MAX_BACKUP_BYTES);
    return await withStore(store, async (session) => {
      const records = await restoreBackup(session, backup);
      return { ok: true, text: `${records} records restored`, data: { records } };
    });
  },
};

/**
 * Asserts that a store exists. Opening would make it: a mistyped path would give an empty backup, and a file that is
 * not the service's.
 */
async function assertThere(path: string): Promise<void> {
  const code = await stat(path).then(() => undefined, systemCode);
  if (code === 'ENOENT') throw new CliError('STORE_MISSING', 'there is no store to back up', { path });
}

async function withStore<T>(
  location: ParentConfig['store'],
  act: (session: RecordSession) => Promise<T>,
): Promise<T> {
  const session = await (await createStore(location)).open();
  try {
    return await act(session);
  } finally {
    await session.close();
  }
}

/** Verbs that look after the records while the parent is stopped. */
export const storeCommands: readonly Command[] = [backupCommand, restoreCommand];
