import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectCodes } from '../../cli/explain/collect-codes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const page = readFileSync(join(ROOT, 'docs/vault-warnings.md'), 'utf8');
const TO_COME = 'to come';
/** Rows whose code or test is not there yet; fewer is better, more is a mistake. */
const MAX_OPEN = 0;

interface Row {
  readonly warning: string;
  readonly code: string;
  readonly test: string;
}

/** Rows of the page's tables, their heads left out. */
const rows = page
  .split('\n')
  .filter((line) => /^\| (?!what a manual|-)/.test(line))
  .map((line): Row => {
    const [, warning = '', , code = '', test = ''] = line.split('|').map((cell) => cell.trim());
    return { warning, code, test };
  });
const wordsIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
/** Functions of the stacks have codes of their own, in the errors.ts of each. */
const functionCodes = globSync('deploy/functions/*/errors.ts', { cwd: ROOT }).flatMap((file) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, code = '']) => code),
);
const codes = new Set([...collectCodes().keys(), ...functionCodes]);

describe('the table of warnings', () => {
  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(60);
  });

  it('says in each row what refuses and what holds it, or that it is to come', () => {
    const vague = rows.filter(
      ({ code, test }) =>
        (wordsIn(code).length === 0 && code !== TO_COME) || (wordsIn(test).length === 0 && test !== TO_COME),
    );
    expect(vague).toEqual([]);
    expect(rows.filter(({ test }) => test === TO_COME).length).toBeLessThanOrEqual(MAX_OPEN);
  });

  it('names codes that exist', () => {
    const unknown = rows.flatMap(({ code }) => wordsIn(code)).filter((code) => !codes.has(code));
    expect(unknown).toEqual([]);
  });

  it('names tests that exist, each about a code of its row, and no code that none of them is about', () => {
    const wrong = rows.flatMap(({ warning, code, test }) => {
      if (test === TO_COME) return [];
      const names = wordsIn(code);
      const texts = wordsIn(test).map((path) => {
        const file = join(ROOT, path);
        return existsSync(file) ? readFileSync(file, 'utf8') : '';
      });
      const idle = wordsIn(test).filter((_, index) => !names.some((name) => texts[index]?.includes(name)));
      const untested = names.filter((name) => !texts.some((text) => text.includes(name)));
      return [...idle, ...untested].map((word) => `${warning}: ${word}`);
    });
    expect(wrong).toEqual([]);
  });
});
