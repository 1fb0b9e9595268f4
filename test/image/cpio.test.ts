import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CpioEntry, encodeCpio } from '../../scripts/image/cpio.ts';

interface Read {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
  /** Owner, group and time. */
  readonly traces: readonly number[];
}

/** Reads an archive by the kernel's description of the format. */
function readCpio(archive: Uint8Array): Read[] {
  const text = Buffer.from(archive).toString('latin1');
  const found: Read[] = [];
  for (let next = 0; ;) {
    const offset = next;
    expect(text.slice(offset, offset + 6)).toBe('070701');
    const field = (index: number) =>
      Number.parseInt(text.slice(offset + 6 + 8 * index, offset + 14 + 8 * index), 16);
    const nameStart = offset + 110;
    const contentStart = Math.ceil((nameStart + field(11)) / 4) * 4;
    const path = text.slice(nameStart, nameStart + field(11) - 1);
    next = Math.ceil((contentStart + field(6)) / 4) * 4;
    if (path === 'TRAILER!!!') {
      expect(next).toBe(archive.length);
      return found;
    }
    found.push({
      path,
      mode: field(1),
      content: text.slice(contentStart, contentStart + field(6)),
      traces: [field(2), field(3), field(5)],
    });
  }
}

const file = (path: string, content = '', isExecutable = false): CpioEntry => ({
  path,
  kind: 'file',
  content: Buffer.from(content),
  isExecutable,
});
const folder = (path: string): CpioEntry => ({ path, kind: 'directory' });

describe('a cpio archive', () => {
  test('holds folders, files, programs and links with their modes, and nothing of who made it when', () => {
    const archive = encodeCpio([
      folder('app'),
      file('app/main.mjs', 'text'),
      file('app/node', 'binary', true),
      { path: 'lib', kind: 'link', target: 'app' },
    ]);
    const traces = [0, 0, 0];
    expect(readCpio(archive)).toEqual([
      { path: 'app', mode: 0o040755, content: '', traces },
      { path: 'app/main.mjs', mode: 0o100644, content: 'text', traces },
      { path: 'app/node', mode: 0o100755, content: 'binary', traces },
      { path: 'lib', mode: 0o120777, content: 'app', traces },
    ]);
  });

  test('is the same whatever the order of its entries', () => {
    const entries = [folder('a'), file('a/b', 'x'), file('a/c', 'yy'), folder('a.b'), file('z')];
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        expect(encodeCpio(shuffled)).toEqual(encodeCpio(entries));
      }),
    );
  });

  test('gives back files of any content and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (content) => {
        const [read] = readCpio(encodeCpio([{ path: 'file', kind: 'file', content }]));
        expect(Buffer.from(read?.content ?? '', 'latin1')).toEqual(Buffer.from(content));
      }),
    );
  });

  test('takes no path twice', () => {
    expect(() => encodeCpio([file('a'), file('a', 'other')])).toThrow(RangeError);
  });

  test('takes no file whose folder is missing', () => {
    expect(() => encodeCpio([file('app/main.mjs')])).toThrow(RangeError);
  });

  test.each(['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'a/.', 'a b', 'a\0', 'ä'])(
    'takes no path such as %j',
    (path) => {
      expect(() => encodeCpio([folder('a'), file(path)])).toThrow(RangeError);
    },
  );
});
