import { describe, expect, test } from 'vitest';
import { explainDifference } from '../../scripts/image/difference.ts';
import type { ImageFile } from '../../scripts/image/image.ts';

const file = (ramdisk: ImageFile['ramdisk'], path: string, sha256: string, bytes = 1): ImageFile => ({
  ramdisk,
  path,
  sha256,
  bytes,
});

describe('the difference of two builds', () => {
  const before = [file('bootstrap', 'init', 'aa'), file('program', 'app/main.mjs', 'bb', 10)];

  test('is nothing when every file is the same', () => {
    expect(explainDifference(before, [...before])).toEqual([]);
  });

  test('names the file whose content differs, with both sizes', () => {
    const after = [file('bootstrap', 'init', 'aa'), file('program', 'app/main.mjs', 'cc', 12)];
    expect(explainDifference(before, after)).toEqual([
      'program: app/main.mjs: 10 bytes before, 12 rebuilt, other content',
    ]);
  });

  test('names files that only one of them has', () => {
    const after = [file('bootstrap', 'init', 'aa'), file('runtime', 'app/main.mjs', 'bb', 10)];
    expect(explainDifference(before, after)).toEqual([
      'runtime: app/main.mjs: only in the rebuilt image',
      'program: app/main.mjs: only in the given image',
    ]);
  });

  test('forges no line on a terminal, whatever the list of a given image holds', () => {
    const evil = '\u001b[2J\u001b[Hthe same bytes: sha256 00\n';
    const given = [
      file('program', evil, 'bb'),
      { ...file('bootstrap', 'init', 'aa'), bytes: evil as unknown as number },
    ];
    const lines = explainDifference(given, [file('bootstrap', 'init', 'cc')]);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^[ -~]+$/);
  });
});
