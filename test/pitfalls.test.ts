import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readVectors } from './attestation/corpus/files.ts';

const LAST_ROW = 56;
/** The list of what has gone wrong for others has no such row. */
const ABSENT_ROWS = new Set(['P39']);
/** Rows that no test can stand for, each with the reason. */
const UNTESTED_ROWS: ReadonlyMap<string, string> = new Map();

/** A string that begins with one row or several: a title, or its part in a table of cases. */
const TITLE = /(['"`])(P[0-9]{2}(?: P[0-9]{2})*)(?= |\1)/g;

const rows = Array.from({ length: LAST_ROW }, (_, index) => `P${String(index + 1).padStart(2, '0')}`).filter(
  (row) => !ABSENT_ROWS.has(row),
);

/** The rows that tests are named after, each with the files; the vectors of documents are titled by their `rule`. */
function readRows(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (row: string, where: string) => found.set(row, (found.get(row) ?? new Set()).add(where));
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.test.ts') && name !== 'pitfalls.test.ts')) {
    for (const [, , title = ''] of readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(TITLE)) {
      for (const row of title.split(' ')) add(row, file);
    }
  }
  for (const { rule, name } of readVectors()) if (/^P[0-9]{2}$/.test(rule)) add(rule, name);
  return found;
}

const found = readRows();

test.each(rows.filter((row) => !UNTESTED_ROWS.has(row)))('a test is named after %s', (row) => {
  expect([...(found.get(row) ?? [])]).not.toEqual([]);
});

test('no test is named after a row that does not exist, or that is said to have none', () => {
  const tested = rows.filter((row) => !UNTESTED_ROWS.has(row));
  expect([...found.keys()].filter((row) => !tested.includes(row))).toEqual([]);
});
