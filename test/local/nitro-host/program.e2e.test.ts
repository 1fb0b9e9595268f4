import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyProgram, digestCode, type Program, programEntry } from '../../../local/nitro-host/program.ts';

const programs: Program[] = [];
afterAll(async () => {
  for (const program of programs) await program.remove();
});

/** Names and bytes of the bundle of a program that is copied. */
async function bundleOf(change?: Parameters<typeof copyProgram>[0]): Promise<Map<string, string>> {
  const program = await copyProgram(change);
  programs.push(program);
  const folder = dirname(programEntry(program.folder));
  const names = (await readdir(folder)).toSorted();
  const bytes = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
  return new Map(names.map((name, index) => [name, bytes[index] ?? '']));
}

describe('a copy of the program', () => {
  it('has the same bundle, whether it was kept or is made now', async () => {
    const made = await bundleOf(async () => {});
    expect(made.size).toBeGreaterThan(1);
    await bundleOf();
    expect(await bundleOf()).toEqual(made);
  });

  it('has another bundle by one byte or one name of its code', async () => {
    const { folder, ...program } = await copyProgram();
    programs.push({ folder, ...program });
    const digest = await digestCode(folder);
    expect(await digestCode(folder)).toBe(digest);
    const path = join(folder, 'shared/errors.ts');
    const text = await readFile(path, 'utf8');
    await writeFile(path, `${text} `);
    const changed = await digestCode(folder);
    await writeFile(path, text);
    expect(await digestCode(folder)).toBe(digest);
    await rename(path, join(folder, 'shared/errors-.ts'));
    expect(new Set([digest, changed, await digestCode(folder)]).size).toBe(3);
  });
});
