/** Every target over its seeds, their prefixes, and all that the fuzzer has ever found: what CI runs without a fuzzer. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FuzzTarget, Violation } from './target.ts';

const TARGETS = new URL('targets/', import.meta.url);
const FINDINGS = new URL('findings/', import.meta.url);

const targets = await Promise.all(
  readdirSync(TARGETS).map(async (file) => {
    const { target } = (await import(new URL(file, TARGETS).href)) as { target: FuzzTarget };
    return { name: file.replace(/\.ts$/, ''), target };
  }),
);

/** What a target makes of an input, in words. */
async function outcomeOf(target: FuzzTarget, input: Uint8Array): Promise<string> {
  try {
    await target.fuzz(input);
    return 'held';
  } catch (error) {
    return `${error instanceof Violation ? 'violated' : 'failed'}: ${String(error)}`;
  }
}

/** Name and content of each input that once broke the target. */
function readFindings(name: string): (readonly [string, Uint8Array])[] {
  const folder = new URL(`${name}/`, FINDINGS);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))] as const);
}

describe.each(targets)('fuzz target $name', ({ name, target }) => {
  const seeds = target.seeds();

  it('holds for its seeds and for all that the fuzzer has found', async () => {
    expect(seeds.length).toBeGreaterThan(0);
    const inputs = [...seeds.map((seed) => ['seed', seed] as const), ...readFindings(name)];
    for (const [origin, input] of inputs) {
      expect(`${origin} ${await outcomeOf(target, input)}`).toBe(`${origin} held`);
    }
  });

  it('holds for prefixes of its seeds', async () => {
    for (const seed of seeds.slice(0, 8)) {
      for (let length = 0; length < seed.length; length += Math.ceil(seed.length / 64)) {
        expect(await outcomeOf(target, seed.slice(0, length))).toBe('held');
      }
    }
  });
});
