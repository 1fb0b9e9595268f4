import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createSqliteStore } from '../../../parent/index.ts';
import { describeStore } from './store-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SOURCE = join(import.meta.dirname, '../../../parent/store/sqlite-store.ts');

describeStore('the SQLite store', async () => {
  const directory = temporaryFolder();
  return {
    makeStore: () => createSqliteStore(join(directory, 'state', 'records.sqlite')),
    remove: () => Promise.resolve(),
  };
});

async function withPath(act: (path: string) => Promise<void>): Promise<void> {
  const directory = temporaryFolder();
  await act(join(directory, 'records.sqlite'));
}

/** A process that owns the store and commits without end, two records at a time; it prints what was acknowledged. */
function spawnWriter(path: string) {
  const script = `
    import { createSqliteStore } from ${JSON.stringify(SOURCE)};
    import { writeSync } from 'node:fs';
    const session = await createSqliteStore(process.argv[1]).open();
    let revision = (await session.read({ table: 't', id: 'a' }))?.revision ?? 0;
    for (;;) {
      const bytes = new Uint8Array(8192).fill(revision & 255);
      await session.commit([
        { table: 't', id: 'a', expectedRevision: revision, bytes },
        { table: 't', id: 'b', expectedRevision: revision, bytes },
      ]);
      revision += 1;
      writeSync(1, revision + '\\n');
    }
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('the SQLite store on disk', () => {
  test('takes nothing when it is prepared, and opens as often as ever after that', async () => {
    await withPath(async (path) => {
      const prepared = createSqliteStore(path);
      prepared.prepare?.();
      prepared.prepare?.();
      await (await createSqliteStore(path).open()).close();
      for (let round = 0; round < 2; round += 1) {
        const session = await prepared.open();
        expect(await session.list()).toEqual([]);
        await session.close();
      }
    });
  });

  test('loses no acknowledged commit, and keeps no half of one, when its process is killed', async () => {
    await withPath(async (path) => {
      for (let round = 0; round < 6; round += 1) {
        const writer = spawnWriter(path);
        let output = '';
        writer.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
        await once(writer.stdout, 'data');
        await sleep(20 + round * 17);
        writer.kill('SIGKILL');
        await once(writer, 'close');
        const acknowledged = Number(output.trimEnd().split('\n').at(-1));
        const session = await createSqliteStore(path).open();
        const a = await session.read({ table: 't', id: 'a' });
        const b = await session.read({ table: 't', id: 'b' });
        await session.close();
        expect(a?.revision).toBeGreaterThanOrEqual(acknowledged);
        expect(a?.revision).toBeLessThanOrEqual(acknowledged + 1);
        expect(b).toEqual(a);
        expect(a?.bytes.every((byte) => byte === ((a.revision - 1) & 255))).toBe(true);
      }
    });
  });

  test('is locked against another process, and free once that process has died', async () => {
    await withPath(async (path) => {
      const writer = spawnWriter(path);
      await once(writer.stdout, 'data');
      writer.stdout.resume();
      await expect(createSqliteStore(path).open()).rejects.toMatchObject({ code: 'STORE_BUSY' });
      writer.kill('SIGKILL');
      await once(writer, 'close');
      const session = await createSqliteStore(path).open();
      expect(await session.list()).toHaveLength(2);
      await session.close();
    });
  });

  test('keeps its file to its owner', async () => {
    await withPath(async (path) => {
      const session = await createSqliteStore(path).open();
      await session.commit([{ table: 't', id: 'a', expectedRevision: 0, bytes: Uint8Array.of(1) }]);
      for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
      await session.close();
    });
  });

  test('does not open what is no database', async () => {
    await withPath(async (path) => {
      await writeFile(path, 'this is not a database, and not a short text either'.repeat(40));
      await expect(createSqliteStore(path).open()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    });
  });

  test.each([
    ['a later format', 'PRAGMA user_version = 3; PRAGMA application_id = 1212568404;'],
    ['another application', 'PRAGMA user_version = 1; PRAGMA application_id = 7;'],
  ])('does not open a database of %s', async (_name, sql) => {
    await withPath(async (path) => {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
      const before = await readFile(path);
      await expect(createSqliteStore(path).open()).rejects.toMatchObject({ code: 'STORE_FORMAT_UNKNOWN' });
      expect((await readFile(path)).equals(before)).toBe(true);
    });
  });

  test('opens a store that was made before there was a log, and gives it one', async () => {
    await withPath(async (path) => {
      const database = new DatabaseSync(path);
      database.exec(`
        CREATE TABLE records (collection TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL CHECK (revision > 0),
          bytes BLOB NOT NULL, PRIMARY KEY (collection, id)) STRICT;
        INSERT INTO records VALUES ('keys', 'one', 7, x'0102');
        PRAGMA user_version = 1; PRAGMA application_id = 1212568404;
      `);
      database.close();
      const session = await createSqliteStore(path).open();
      const write = { table: 'keys', id: 'one', expectedRevision: 7, bytes: Uint8Array.of(3) };
      await session.commit([write], { start: 0, entries: [Uint8Array.of(4)] });
      expect(await session.logBounds()).toEqual({ first: 0, size: 1 });
      expect(await session.read({ table: 'keys', id: 'one' })).toEqual({
        revision: 8,
        bytes: Uint8Array.of(3),
      });
      await session.close();
    });
  });

  test('does not open where it has no folder', async () => {
    await withPath(async (path) => {
      await writeFile(path, '');
      await expect(createSqliteStore(join(path, 'records.sqlite')).open()).rejects.toMatchObject({
        name: 'RecordStoreError',
        code: 'STORE_FAILED',
      });
    });
  });
});
