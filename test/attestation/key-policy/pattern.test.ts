import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../attestation/key-policy/budget.ts';
import { globOf, sampleTexts } from '../../../attestation/key-policy/glob.ts';
import { KeyPolicyError } from '../../../attestation/key-policy/index.ts';
import { compilePattern, matchTokens, splitPattern } from '../../../attestation/key-policy/pattern.ts';

const N = 30_000;

describe('a pattern with variables', () => {
  it.each([
    ['blanks in a variable', `\${${' '.repeat(N)}}`],
    ['blanks behind a key', `\${a${' '.repeat(N)}b}`],
    ['blanks behind a comma', `\${a,${' '.repeat(N)}x}`],
    ['variables that stay open', '${'.repeat(N / 2)],
    ['variables that stay open but the first', `\${a}${'${'.repeat(N / 2)}`],
    ['quotes', `\${a,'${"'".repeat(N)}}`],
    ['dollars', '$'.repeat(N)],
    ['stars', '*'.repeat(N)],
  ])('is read in steps that grow with its length alone: %s', (_name, pattern) => {
    let steps = 0;
    const parts = splitPattern(pattern, (characters) => (steps += characters));
    expect(steps).toBeLessThanOrEqual(3 * pattern.length + 3);
    const text = parts.map((part) => (typeof part === 'string' ? part : `\${${part.variable}}`)).join('');
    expect(text).toBe(pattern);
    // The same inside of a variable, whose key and default are looked for.
    expect(
      compilePattern(pattern, new Map(), { wildcards: false, variables: true })?.length ?? 0,
    ).toBeLessThanOrEqual(N + 1);
  });

  it('has the value of its key, or its default, or none', () => {
    const context = new Map([
      ['aws:a', ['x']],
      ['aws:many', ['x', 'y']],
    ]);
    const fill = (pattern: string): string | undefined =>
      compilePattern(pattern, context, { wildcards: false, variables: true })?.map(String).join('');
    expect(fill('<${aws:A}>')).toBe('<x>');
    expect(fill("<${ aws:b , 'it is, y' }>")).toBe('<it is, y>');
    expect(fill("<${aws:many, 'z'}>")).toBe('<z>');
    for (const none of ['${aws:b}', '${aws:b, y}', "${aws:b, 'a'b'}", '${}', '${, }'])
      expect(fill(none)).toBeUndefined();
    expect(fill('${*}${?}${$}${open')).toBe('*?$${open');
  });
});

describe('texts that globs tell apart', () => {
  const sample = (patterns: string[], within?: string): string[] =>
    sampleTexts(
      patterns.map((pattern) => globOf(pattern)),
      { budget: createBudget(), ...(within === undefined ? {} : { within: globOf(within) }) },
    );

  it('are one for each combination that some text is in', () => {
    const patterns = ['a*', '*b', 'ab', '?', 'a?c'];
    const inside = (text: string): string =>
      patterns
        .map((pattern) => {
          const tokens = compilePattern(pattern, new Map(), { wildcards: true, variables: false });
          return Number(tokens !== undefined && matchTokens(tokens, text));
        })
        .join('');
    const found = sample(patterns).map(inside);
    expect(new Set(found).size).toBe(found.length);
    const letters = ['a', 'b', 'c', 'd'];
    const texts = [
      '',
      ...letters,
      ...letters.flatMap((x) => letters.flatMap((y) => [x + y, ...letters.map((z) => x + y + z)])),
    ];
    expect(texts.filter((text) => !found.includes(inside(text)))).toEqual([]);
  });

  it('stay within what is asked for, and are refused when they are too many', () => {
    expect(sample(['1*'], '??').every((text) => text.length === 2)).toBe(true);
    const hostile = Array.from(
      { length: 14 },
      (_, index) => `*${String.fromCodePoint(97 + index).repeat(3)}*`,
    );
    expect(() => sample(hostile)).toThrow(KeyPolicyError);
  });
});
