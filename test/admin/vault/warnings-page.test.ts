import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectCodes } from '../../cli/explain/collect-codes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const page = readFileSync(join(ROOT, 'docs/vault-warnings.md'), 'utf8');
/** Tests of a row that show what happens in place of a refusal: no code is in them, and another test of the row has it. */
const WITHOUT_CODE = new Set([
  'is retained: %s',
  'takes a snapshot before another image comes, and keeps the store',
  'have no option that takes a secret as its value: none stands in a list of processes',
]);

interface NamedTest {
  readonly path: string;
  readonly title: string;
}

interface Row {
  readonly warning: string;
  readonly code: string;
  readonly tests: readonly NamedTest[];
}

/** Rows of the page's tables, their heads left out. */
const rows = page
  .split('\n')
  .filter((line) => /^\| (?!what a manual|-)/.test(line))
  .map((line): Row => {
    const [, warning = '', , code = '', test = ''] = line.split('|').map((cell) => cell.trim());
    const tests = test.split('<br>').map((one) => {
      const [, path = '', title = ''] = /^`([^`]+)` “(.+)”$/.exec(one) ?? [];
      return { path, title };
    });
    return { warning, code, tests };
  });
const wordsIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
/** Functions of the stacks have codes of their own, in the errors.ts of each. */
const functionCodes = globSync('deploy/functions/*/errors.ts', { cwd: ROOT }).flatMap((file) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, code = '']) => code),
);
const codes = new Set([...collectCodes().keys(), ...functionCodes]);

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Source of every test, or case of a table of tests, that has a title: from its first line to the one that closes it. */
function bodiesOf({ path, title }: NamedTest): readonly string[] {
  const file = join(ROOT, path);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const isTitled = ["'", '"', '`'].some((quote) => line.includes(`${quote}${title}${quote},`));
    return isTitled ? [lines.slice(...rangeOf(lines, index)).join('\n')] : [];
  });
}

/** Finds the first line of what a title on a line names, and the line after its last. */
function rangeOf(lines: readonly string[], titled: number): readonly [number, number] {
  const before = (from: number, fits: (line: string) => boolean) => {
    let index = from;
    while (index > 0 && !fits(lines[index] ?? '')) index -= 1;
    return index;
  };
  const indent = (index: number) => indentOf(lines[index] ?? '');
  // A title on a line of its own belongs to the call, or to the case, that the line above it opens.
  const isAlone = /^\s*['"`]/.test(lines[titled] ?? '');
  const opened = isAlone
    ? before(titled - 1, (line) => line.trim() !== '' && indentOf(line) < indent(titled))
    : titled;
  // What closes a table of cases continues the call that the table has begun.
  const isTable = /^\s*[\])}]/.test(lines[opened] ?? '');
  const first = isTable
    ? before(opened - 1, (line) => indentOf(line) === indent(opened) && /^\s*(?:it|test)\b/.test(line))
    : opened;
  let last = Math.max(opened, titled) + (lines[titled]?.trim().startsWith('[') === true && !isAlone ? 0 : 1);
  if (last === titled) return [titled, titled + 1];
  while (last < lines.length && (lines[last]?.trim() === '' || indent(last) > indent(first))) last += 1;
  return [first, last + 1];
}

describe('the table of warnings', () => {
  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(60);
  });

  it('says in each row what refuses, and which test holds it', () => {
    const vague = rows.filter(
      ({ code, tests }) =>
        wordsIn(code).length === 0 || tests.some(({ path, title }) => path === '' || title === ''),
    );
    expect(vague).toEqual([]);
  });

  it('names codes that exist', () => {
    const unknown = rows.flatMap(({ code }) => wordsIn(code)).filter((code) => !codes.has(code));
    expect(unknown).toEqual([]);
  });

  it('names tests that are there by their titles', () => {
    const missing = rows.flatMap(({ tests }) =>
      tests.filter((one) => bodiesOf(one).length === 0).map(({ path, title }) => `${path}: ${title}`),
    );
    expect(missing).toEqual([]);
  });

  it('names tests each of which is about a code of its row, and no code that none of them is about', () => {
    const wrong = rows.flatMap(({ warning, code, tests }) => {
      const names = wordsIn(code);
      const bodies = tests.map((one) => ({ ...one, text: bodiesOf(one).join('\n') }));
      const idle = bodies
        .filter(({ title, text }) => !WITHOUT_CODE.has(title) && !names.some((name) => text.includes(name)))
        .map(({ title }) => title);
      const untested = names.filter((name) => !bodies.some(({ text }) => text.includes(name)));
      return [...idle, ...untested].map((word) => `${warning}: ${word}`);
    });
    expect(wrong).toEqual([]);
  });

  it('takes no test for one that only lies in the same file', () => {
    const path = 'test/parent/deploy/refusals.test.ts';
    expect(bodiesOf({ path, title: 'refuses a disk without room' }).join('')).not.toContain(
      'DEPLOYMENT_BUSY',
    );
    expect(bodiesOf({ path, title: 'refuses a disk' })).toEqual([]);
  });
});
