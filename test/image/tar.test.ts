import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { CpioEntry } from '../../scripts/image/cpio.ts';
import { encodeTar } from '../../scripts/image/tar.ts';

const entries: readonly CpioEntry[] = [
  { path: 'app', kind: 'directory' },
  { path: 'app/node', kind: 'file', content: Buffer.alloc(513, 'n'), isExecutable: true },
  { path: 'app/main.mjs', kind: 'file', content: Buffer.from('text') },
  { path: 'app', kind: 'directory' },
  { path: 'lib', kind: 'link', target: 'app' },
];

function runTar(archive: Uint8Array, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('tar', [...args, '-f', '-'], {
    input: archive,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TZ: 'UTC', LC_ALL: 'C' },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('a tar archive', () => {
  test('is read by tar(1), with modes, owner and time', () => {
    const lines = runTar(encodeTar(entries), '-tv', '--numeric-owner').trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ +/g, ' '))).toEqual([
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 app/',
      '-rw-r--r-- 0/0 4 1970-01-01 00:00 app/main.mjs',
      '-rwxr-xr-x 0/0 513 1970-01-01 00:00 app/node',
      'lrwxr-xr-x 0/0 0 1970-01-01 00:00 lib -> app',
    ]);
  });

  test('gives back what the files hold', () => {
    expect(runTar(encodeTar(entries), '-xO')).toBe(`text${'n'.repeat(513)}`);
  });

  test('is the same whatever the order of its entries', () => {
    expect(encodeTar(entries.toReversed())).toEqual(encodeTar(entries));
  });

  test('takes no path that its header does not hold', () => {
    expect(() => encodeTar([{ path: 'a'.repeat(101), kind: 'directory' }])).toThrow(RangeError);
  });
});
