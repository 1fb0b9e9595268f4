import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { CODE_AREAS } from '../../../cli/explain/codes/index.ts';
import { nearest } from '../../../cli/explain/nearest.ts';
import { formatCodesPage } from '../../../cli/explain/page.ts';
import { runHoldfast } from '../in-process.ts';
import { collectCodes } from './collect-codes.ts';

const PAGE = join(import.meta.dirname, '../../../docs/codes.md');
const explained = new Set(CODE_AREAS.flatMap(({ codes }) => Object.keys(codes)));
const collected = collectCodes();

describe('the codes', () => {
  it('are found in the sources', () => {
    expect(collected.size).toBeGreaterThan(400);
    expect([...collected.keys()]).toEqual(
      expect.arrayContaining([
        'ROOT_MISMATCH',
        'CONTROL_STORE_BUSY',
        'EGRESS_DNS_FAILED',
        'INIT_EXEC',
        'USAGE',
      ]),
    );
  });

  it('are all explained', () => {
    const missing = [...collected].filter(([code]) => !explained.has(code));
    const lines = missing.map(
      ([code, files]) =>
        `${code} (${files.join(', ')}): add one line "${code}: 'what it means'," to the file of its area in cli/explain/codes/, then "npm run docs:codes"`,
    );
    expect(lines).toEqual([]);
  });

  it('are explained only where they exist', () => {
    const stale = [...explained].filter((code) => !collected.has(code));
    expect(
      stale.map((code) => `${code}: nothing in the sources has this code; take it out of cli/explain/codes/`),
    ).toEqual([]);
  });

  it('each say something, and what to do next in a sentence', () => {
    const empty = CODE_AREAS.flatMap(({ title, who, next, codes }) =>
      Object.entries(codes).flatMap(([code, found]) => {
        const [meaning, own = next] = typeof found === 'string' ? [found] : found;
        return title !== '' && who !== '' && meaning.length > 10 && own.endsWith('.') ? [] : [code];
      }),
    );
    expect(empty).toEqual([]);
  });

  it('stand in docs/codes.md as they do here', async () => {
    const wanted = await format(formatCodesPage(), { ...(await resolveConfig(PAGE)), filepath: PAGE });
    expect(readFileSync(PAGE, 'utf8') === wanted, 'docs/codes.md is out of date: npm run docs:codes').toBe(
      true,
    );
  });
});

describe('holdfast explain', () => {
  it('says what a code means, who reports it, and what to do', async () => {
    const { exit, out } = await runHoldfast(['explain', 'ROOT_MISMATCH']);
    expect(exit).toBe(0);
    expect(out).toMatch(/means {2}.*\n {2}from {3}.*attestation verify.*\n {2}next {3}.*--root/);
  });

  it('takes a code in any case, and gives it to programs', async () => {
    const { out } = await runHoldfast(['explain', 'policy_denied', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      code: 'POLICY_DENIED',
      meanings: [{ who: expect.any(String) }],
    });
  });

  it('gives both meanings of a code that has two', async () => {
    const { out } = await runHoldfast(['explain', 'UNKNOWN_KEY', '--json']);
    expect((JSON.parse(out) as { meanings: unknown[] }).meanings).toHaveLength(2);
  });

  it('sends codes of nitro-cli to nitro-cli', async () => {
    for (const code of ['NITRO_E26', 'E26']) {
      expect((await runHoldfast(['explain', code])).out).toContain('nitro-cli explain --error-code E26');
    }
  });

  it.each([
    'PCR_MISSMATCH',
    'PCR_MISMACH',
    'ROOT',
    'POLICY-DENIED-FOREVER',
    'nonsense',
    'constructor',
    '\u001b[2J',
    'A'.repeat(100_000),
  ])('refuses %j, with what may have been meant', async (word) => {
    const { exit, err } = await runHoldfast(['explain', word]);
    expect(exit).toBe(1);
    expect(err).toContain('CODE_UNKNOWN');
    expect(err).not.toContain('\u001b');
  });

  it('suggests the nearest first', () => {
    const known = new Set(['PCR_MISMATCH', 'PCR_MISSING', 'ROOT_MISMATCH', 'ROOT_MALFORMED']);
    expect(nearest('PCR_MISSMATCH', known)[0]).toBe('PCR_MISMATCH');
    expect(nearest('ROOT', known)).toEqual(['ROOT_MALFORMED', 'ROOT_MISMATCH']);
    expect(nearest('XYZ', known)).toEqual([]);
  });
});
