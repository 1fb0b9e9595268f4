import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogWriter } from '../../../parent/log/log-writer.ts';
import { TileFolder } from '../../../parent/log/tile-folder.ts';
import { silentLog } from '../../../parent/common/log.ts';
import { createMemoryStore } from '../../../local/hostile-parent/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry);
const entryOf = (index: number) => new Uint8Array(Buffer.from(`entry ${index}`));
const entriesOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => entryOf(from + index));

/** Root of leaf hashes by the definition of RFC 6962, 2.1, level by level. */
function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (hashes.length === 1 && only !== undefined) return only;
  let split = 1;
  while (2 * split < hashes.length) split *= 2;
  return sha256(Uint8Array.of(1), rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)));
}

async function makeLog() {
  const directory = temporaryFolder();
  const store = createMemoryStore();
  const session = await store.open();
  let size = 0;
  let revision = 0;
  const commit = async (count: number) => {
    const addition = { start: size, entries: entriesOf(size, size + count) };
    const write = { table: 'keys', id: 'one', expectedRevision: revision, bytes: new Uint8Array(1) };
    await session.commit([write], addition);
    revision += 1;
    size += count;
    return addition;
  };
  const openWriter = () => {
    const writer = new LogWriter(new TileFolder(directory), silentLog);
    writer.attach(session);
    return writer;
  };
  const read = (name: string) => new Uint8Array(readFileSync(join(directory, name)));
  return { directory, session, commit, openWriter, read };
}

/** Entries of a bundle, read by the words of tlog-tiles. */
function readBundle(bytes: Uint8Array): string[] {
  const entries: string[] = [];
  const view = Buffer.from(bytes);
  for (let offset = 0; offset < view.length;) {
    const end = offset + 2 + view.readUInt16BE(offset);
    entries.push(view.toString('utf8', offset + 2, end));
    offset = end;
  }
  return entries;
}

describe('the writer of a log', () => {
  it('writes the tiles and bundles of tlog-tiles, and then the checkpoint', async () => {
    const { commit, openWriter, read } = await makeLog();
    const writer = openWriter();
    const before = await commit(200);
    writer.accept(before);
    writer.accept(await commit(256));
    writer.accept(await commit(100));
    expect(await writer.reach(556, 5_000)).toBe(true);
    writer.publish({ size: 556, note: 'a checkpoint\n' });
    await writer.close();
    const leaves = entriesOf(0, 556).map(leafOf);
    expect(Buffer.from(writer.tree?.root ?? [])).toEqual(rootOf(leaves));
    expect(Buffer.from(read('tile/0/000'))).toEqual(Buffer.concat(leaves.slice(0, 256)));
    expect(Buffer.from(read('tile/0/001'))).toEqual(Buffer.concat(leaves.slice(256, 512)));
    expect(Buffer.from(read('tile/0/002.p/44'))).toEqual(Buffer.concat(leaves.slice(512)));
    const roots = [leaves.slice(0, 256), leaves.slice(256, 512)].map(rootOf);
    expect(Buffer.from(read('tile/1/000.p/2'))).toEqual(Buffer.concat(roots));
    expect(readBundle(read('tile/entries/001'))).toEqual(
      entriesOf(256, 512).map((entry) => Buffer.from(entry).toString()),
    );
    expect(readBundle(read('tile/entries/002.p/44'))).toHaveLength(44);
    expect(Buffer.from(read('checkpoint')).toString()).toBe('a checkpoint\n');
  });

  it('goes on after a crash at any size, from what the store has', async () => {
    const { commit, openWriter, session } = await makeLog();
    let size = 0;
    for (const count of [1, 254, 1, 256, 37, 219, 512 - 256, 300 - 44]) {
      const writer = openWriter();
      size += count;
      const addition = await commit(count);
      // Half of the lives learn of their entries by the store alone.
      if (size % 2 === 0) writer.accept(addition);
      else writer.attach(session);
      expect(await writer.reach(size, 5_000)).toBe(true);
      expect(Buffer.from(writer.tree?.root ?? [])).toEqual(rootOf(entriesOf(0, size).map(leafOf)));
    }
  });

  it('proves that its tree extends any older one, across full tiles', async () => {
    const { commit, openWriter } = await makeLog();
    const writer = openWriter();
    for (const count of [100, 200, 256, 144]) writer.accept(await commit(count));
    await writer.reach(700, 5_000);
    const hashes = entriesOf(0, 700).map(leafOf);
    for (const older of [1, 7, 255, 256, 257, 512, 699]) {
      const proof = await writer.tree?.proveConsistency(older, 700);
      expect(
        rootsByProof(
          older,
          700,
          (proof ?? []).map((hash) => Buffer.from(hash)),
          rootOf(hashes.slice(0, older)),
        ),
      ).toEqual([rootOf(hashes.slice(0, older)), rootOf(hashes)]);
    }
    const smaller = await writer.tree?.proveConsistency(300, 520);
    expect(
      rootsByProof(
        300,
        520,
        (smaller ?? []).map((hash) => Buffer.from(hash)),
        rootOf(hashes.slice(0, 300)),
      )[1],
    ).toEqual(rootOf(hashes.slice(0, 520)));
  });

  it('drops from the store what lies in full bundles, and keeps what does not', async () => {
    const { commit, openWriter, session } = await makeLog();
    const writer = openWriter();
    for (const count of [256, 200]) writer.accept(await commit(count));
    await writer.reach(456, 5_000);
    await writer.close();
    expect(await session.logBounds()).toEqual({ first: 256, size: 456 });
    expect(writer.full).toBe(256);
  });

  it('says that there is a gap where the folder is gone and the store has dropped entries', async () => {
    const { commit, openWriter, directory } = await makeLog();
    const writer = openWriter();
    for (const count of [256, 200]) writer.accept(await commit(count));
    await writer.reach(456, 5_000);
    await writer.close();
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
    const next = openWriter();
    expect(await next.reach(456, 200)).toBe(false);
    expect(next.hasGap).toBe(true);
  });

  it('publishes no checkpoint before its tiles are there, and none that is older than the published one', async () => {
    const { commit, openWriter, read } = await makeLog();
    const writer = openWriter();
    writer.publish({ size: 5, note: 'five\n' });
    await writer.close();
    expect(() => read('checkpoint')).toThrow('ENOENT');
    writer.accept(await commit(5));
    await writer.reach(5, 5_000);
    await writer.close();
    expect(Buffer.from(read('checkpoint')).toString()).toBe('five\n');
    writer.publish({ size: 4, note: 'four\n' });
    await writer.close();
    expect(Buffer.from(read('checkpoint')).toString()).toBe('five\n');
  });

  it('waits no longer than it is told for entries that never come', async () => {
    const { openWriter } = await makeLog();
    expect(await openWriter().reach(1, 50)).toBe(false);
  });
});

/** Roots of the older and the newer tree by the recursion of RFC 6962, 2.1.2. */
function rootsByProof(
  older: number,
  size: number,
  proof: readonly Buffer[],
  known: Buffer,
  isWhole = true,
): [Buffer, Buffer] {
  const last = proof.at(-1);
  if (older === size) {
    const root = isWhole ? known : (last ?? Buffer.alloc(0));
    return [root, root];
  }
  if (last === undefined) return [Buffer.alloc(0), Buffer.alloc(0)];
  let split = 1;
  while (2 * split < size) split *= 2;
  const rest = proof.slice(0, -1);
  if (older <= split) {
    const [before, left] = rootsByProof(older, split, rest, known, isWhole);
    return [before, sha256(Uint8Array.of(1), left, last)];
  }
  const [before, right] = rootsByProof(older - split, size - split, rest, known, false);
  return [sha256(Uint8Array.of(1), last, before), sha256(Uint8Array.of(1), last, right)];
}
