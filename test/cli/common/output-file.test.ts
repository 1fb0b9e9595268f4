import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../cli/common/command.ts';
import { writeOutput } from '../../../cli/common/output-file.ts';
import { openFileSink } from '../../../cli/eif/file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const at = (name: string) => join(folder, name);

function makePipe(name: string): string {
  expect(spawnSync('mkfifo', [at(name)]).status).toBe(0);
  return at(name);
}

describe('a file that a command writes', () => {
  it('replaces another, and keeps its permissions', async () => {
    writeFileSync(at('file'), 'before', { mode: 0o640 });
    expect(await writeOutput(at('file'), 'after')).toBe(true);
    expect(readFileSync(at('file'), 'utf8')).toBe('after');
    expect(lstatSync(at('file')).mode & 0o777).toBe(0o640);
  });

  it('never takes the place of a pipe or a device: they are written to', async () => {
    const path = makePipe('pipe');
    const [read] = await Promise.all([readFile(path, 'utf8'), writeOutput(path, 'content', { mode: 0o600 })]);
    expect(read).toBe('content');
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it('leaves what is there alone where it is told to keep it, be it a pipe or a file', async () => {
    writeFileSync(at('file'), 'before');
    for (const path of [makePipe('pipe'), at('file')])
      expect(await writeOutput(path, 'content', { keep: true })).toBe(false);
    expect(readFileSync(at('file'), 'utf8')).toBe('before');
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
  });

  it('is no image in the place of a pipe, or of a link to one', async () => {
    symlinkSync(makePipe('pipe'), at('link'));
    for (const name of ['pipe', 'link']) await expect(openFileSink(at(name))).rejects.toThrow(UsageError);
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
  });
});
