import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readVectors } from './attestation/corpus/files.ts';

const ROOT = join(import.meta.dirname, '..');
/** A rule of a vector that is a clause of a specification instead of a pitfall. */
const CLAUSE = /^(?:RFC \d+ [\d.]+|pcr\.json)$/;

interface Row {
  readonly name: string;
  /** The files that hold it, each with a part of a test's title. */
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly vectors: number;
}

function readRows(): Row[] {
  const page = readFileSync(join(ROOT, 'docs/pitfalls.md'), 'utf8');
  return [...page.matchAll(/^\| ([a-z0-9-]+) +\|.*\| ([^|]*(?:\\\|[^|]*)*) \|$/gm)]
    .filter(([, name = '']) => !/^-+$/.test(name) && name !== 'name')
    .map(([, name = '', heldBy = '']) => ({
      name,
      tests: [...heldBy.matchAll(/`([^`]+)`: “([^”]+)”/g)].map(([, file = '', title = '']) => ({
        file,
        title: title.replaceAll('\\', ''),
      })),
      vectors: Number(/(\d+) vectors/.exec(heldBy)?.[1] ?? 0),
    }));
}

const rows = readRows();
const vectors = readVectors();

test('the page has a row for each of 70 pitfalls, each with a name of its own', () => {
  expect(rows).toHaveLength(70);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

test.each(rows)('$name is held by tests that exist', ({ name, tests, vectors: count }) => {
  expect(tests.length + count).toBeGreaterThan(0);
  expect(vectors.filter(({ rule }) => rule === name)).toHaveLength(count);
  for (const { file, title } of tests) {
    expect(existsSync(join(ROOT, file)), `${file} exists`).toBe(true);
    // A title may be written with another kind of quotes around an apostrophe.
    const source = readFileSync(join(ROOT, file), 'utf8').replaceAll(String.raw`\'`, "'");
    expect(source.includes(title), `${file}: ${title}`).toBe(true);
  }
});

test('every vector is about a pitfall of the page or a clause of a specification', () => {
  const names = new Set(rows.map(({ name }) => name));
  expect(vectors.map(({ rule }) => rule).filter((rule) => !names.has(rule) && !CLAUSE.test(rule))).toEqual(
    [],
  );
});
