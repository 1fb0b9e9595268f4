import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMadeOrSay } from '../../../support/find-made.ts';
import { type Reading, readOurs } from './read.ts';

/** Our reader of HOCON, judged by Canton's own over texts that are drawn. */

const RUNS = 4_000;
const folder = findMadeOrSay("our reader of HOCON was not judged by Canton's", 'hocon-oracle.sh');
const ENVIRONMENT = { X: 'val', Y: '12', 'a.b': 'path' };

/** What com.typesafe:config reads, text by text. */
function readTheirs(texts: readonly string[]): Reading[] {
  const input = texts
    .map((text) => `${JSON.stringify({ texts: [text], environment: ENVIRONMENT })}\n`)
    .join('');
  const { stdout, stderr, status } = spawnSync('java', ['-cp', `${folder}/lib/*:${folder}`, 'Oracle'], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect(status, stderr).toBe(0);
  // Java writes numbers that JSON has not.
  const parse = (line: string) => JSON.parse(line.replaceAll(/:(-?Infinity|NaN)/g, ':"$1"')) as Reading;
  return stdout.trimEnd().split('\n').map(parse);
}

/** Tells in what the readings differ. What we do not read we may refuse; what they refuse, we never take. */
function compare(ours: Reading, theirs: Reading): string | undefined {
  if ('refused' in ours) {
    if (ours.refused === 'HOCON_UNSUPPORTED' || 'refused' in theirs) return undefined;
    return `refused with ${ours.refused}`;
  }
  if ('refused' in theirs) return 'taken';
  return JSON.stringify(sort(ours.value)) === JSON.stringify(sort(theirs.value))
    ? undefined
    : 'another value';
}

function sort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sort);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, sort(member)] as const);
  return Object.fromEntries(members.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

const word = fc.constantFrom(
  'a',
  'b',
  'c',
  'a.b',
  'a.b.c',
  '"a"',
  '"a.b"',
  'b-c',
  'true',
  '1',
  '1.5',
  'null',
);
const scalar = fc.constantFrom(
  ...[
    '1',
    '-2',
    '1.5',
    '007',
    '1e3',
    '10ms',
    'true',
    'false',
    'null',
    'yes',
    'x y',
    'x  "y" z',
    '"q"',
    '"\\u0041\\n"',
  ],
  ...[
    '"""t\n"t"""',
    '${X}',
    '${?X}',
    '${?NOPE}',
    '${Y}',
    '${a}',
    '${b.c}',
    '${?a.b}',
    '${X}s',
    'a/b',
    '-',
    '.5',
    '5.',
    "'x'",
  ],
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .array(fc.tuple(word, tie('value')), { maxLength: 3 })
      .map((fields) => `{ ${writeFields(fields, ', ')} }`),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('value'), tie('value')).map((parts) => parts.join(' ')),
  ),
}));
function writeFields(fields: readonly (readonly [unknown, unknown])[], between: string): string {
  return fields.map(([name, value]) => `${String(name)} = ${String(value)}`).join(between);
}
const separator = fc.constantFrom('\n', '\n', ' , ', '\n,\n', ' # comment\n', ' // comment\n', ' ', ',,');
const statement = fc
  .tuple(word, fc.constantFrom(' = ', ':', ' += ', ' ', '\n= ', '=\n'), value, separator)
  .map(([name, equals, value, end]) => `${name}${equals}${String(value)}${end}`);
const wellFormed = fc
  .array(statement, { minLength: 1, maxLength: 5 })
  .map((statements) => statements.join(''));
/** Pieces in any order: most of it no HOCON. */
const pieces = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'b',
        '.',
        '=',
        ':',
        '{',
        '}',
        '[',
        ']',
        ',',
        '\n',
        ' ',
        '"',
        '"x"',
        '"""',
        '#',
        '//',
        '/',
        '+',
        '+=',
        '$',
      ],
      ...[
        '${X}',
        '${?',
        '}',
        '1',
        '-',
        'e',
        '\\',
        '?',
        '!',
        '@',
        '*',
        '&',
        '`',
        '^',
        '(',
        ')',
        "'",
        '\t',
        '\r',
        '\u00a0',
        'é',
        'true',
      ],
    ),
    { maxLength: 12 },
  )
  .map((all) => all.join(''));

describe.skipIf(folder === undefined)("our reader of HOCON beside Canton's", () => {
  it.each([
    ['texts with their form', wellFormed],
    ['pieces', pieces],
  ])('reads %s alike', (_, arbitrary) => {
    const seed = process.env['HOLDFAST_SEED'] === 'random' ? Date.now() : 20_261_129;
    const texts = fc.sample(arbitrary, { seed, numRuns: RUNS });
    const theirs = readTheirs(texts);
    expect(theirs).toHaveLength(texts.length);
    const differing = texts.flatMap((text, index) => {
      const ours = readOurs([text], ENVIRONMENT);
      const difference = compare(ours, theirs[index] ?? { refused: 'no answer' });
      return difference === undefined ? [] : [{ text, difference, ours, theirs: theirs[index] }];
    });
    expect(differing.slice(0, 5), `seed ${seed}`).toEqual([]);
    // Neither all refused nor all taken: the draw says something about both.
    const taken = theirs.filter((reading) => 'value' in reading).length;
    expect(taken).toBeGreaterThan(RUNS / 20);
    expect(taken).toBeLessThan(RUNS - RUNS / 20);
  });
});
