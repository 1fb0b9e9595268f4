import { spend, type Budget } from './budget.ts';
import { splitArn } from './comparison.ts';
import { compilePattern, type RequestContext, type Token } from './pattern.ts';
import type { Comparison } from './operator.ts';

/** One step of a glob: a character, any one character, or any number of them. */
type Unit =
  | { readonly is: 'character'; readonly character: string }
  | { readonly is: 'any' | 'run'; readonly colon: boolean };

/** A set of texts: those that one value of a condition matches. */
export interface Glob {
  readonly units: readonly Unit[];
  /** Letters of either case are the same. */
  readonly fold: boolean;
}

/**
 * Reads a value of a policy as the set of texts that it matches under a comparison; undefined when it matches none. A
 * variable whose value the context does not have may be any text.
 */
export function readGlob(
  comparison: Comparison,
  pattern: string,
  { context, variables }: { readonly context: RequestContext; readonly variables: boolean },
): Glob | undefined {
  const compile = (part: string, wildcards: boolean) =>
    compilePattern(part, context, { wildcards, variables, unknown: 'any' });
  if (comparison !== 'ArnLike') {
    const tokens = compile(pattern, comparison === 'StringLike');
    const fold = comparison === 'StringEqualsIgnoreCase' || comparison === 'Bool';
    return tokens && { units: toUnits(tokens, true), fold };
  }
  const parts = splitArn(pattern, variables)?.map((part) => compile(part, true));
  if (parts === undefined) return undefined;
  const units = parts.flatMap((tokens, index): readonly (Unit | undefined)[] => [
    ...(index === 0 ? [] : [COLON]),
    ...(tokens === undefined ? [undefined] : toUnits(tokens, index === parts.length - 1)),
  ]);
  return units.every((unit) => unit !== undefined) ? { units, fold: false } : undefined;
}

const COLON: Unit = { is: 'character', character: ':' };

/** Makes a glob of `*`, `?` and text, without policy variables. */
export function globOf(pattern: string, fold = false): Glob {
  const tokens = compilePattern(pattern, new Map(), { wildcards: true, variables: false }) ?? [];
  return { units: toUnits(tokens, true), fold };
}

/** Makes a glob that matches one text. */
export function textGlob(text: string, fold = false): Glob {
  return { units: toUnits([text], true), fold };
}

function toUnits(tokens: readonly Token[], colon: boolean): Unit[] {
  return tokens.flatMap((token): Unit[] =>
    typeof token === 'string'
      ? Array.from(token, (character) => ({ is: 'character', character }))
      : [{ is: token.wildcard === '*' ? 'run' : 'any', colon }],
  );
}

export interface SampleOptions {
  /** Glob that every sample must match. Default: any text. */
  readonly within?: Glob;
  /** Globs that no sample may match. */
  readonly without?: readonly Glob[];
  /** The characters that a text can have. Default: any. */
  readonly alphabet?: string;
  readonly budget: Budget;
}

/**
 * Samples one text of each kind that the globs tell apart: for every subset of the globs that some text matches while it
 * matches none of the others, the shortest such text. The search walks the product of the globs' automata breadth first;
 * characters that no glob waits for count as one.
 *
 * @throws KeyPolicyError POLICY_TOO_COMPLEX
 */
export function sampleTexts(globs: readonly Glob[], options: SampleOptions): string[] {
  const { within, without = [], alphabet, budget } = options;
  const texts = globs.map(readText);
  if (within === undefined && without.length === 0 && alphabet === undefined && !texts.includes(undefined)) {
    return sampleAround(texts.flatMap((text) => text ?? []));
  }
  const all = [within ?? ANYTHING, ...without, ...globs];
  const fresh = alphabet === undefined ? freshCharacter(all) : undefined;
  const start = all.map((glob) => close(glob, [0]));
  const seen = new Set([keyOf(start)]);
  const found = new Map<string, string>();
  const queue: { readonly state: readonly number[][]; readonly text: string }[] = [
    { state: start, text: '' },
  ];
  for (const { state, text } of queue) {
    const accepted = state.map((positions, index) => positions.includes(all[index]?.units.length ?? 0));
    const [inside, ...rest] = accepted;
    if (inside === true && !rest.slice(0, without.length).includes(true)) {
      const vector = rest.map(Number).join('');
      if (!found.has(vector)) found.set(vector, text);
    }
    const characters = alphabet === undefined ? expected(all, state, fresh ?? '') : Array.from(alphabet);
    for (const character of characters) {
      spend(budget, STEP_COST * (state.length + state.reduce((sum, positions) => sum + positions.length, 0)));
      const next = state.map((positions, index) => advance(all[index] ?? ANYTHING, positions, character));
      if (next[0]?.length === 0) continue;
      const key = keyOf(next);
      if (seen.has(key)) continue;
      spend(budget, key.length);
      seen.add(key);
      queue.push({ state: next, text: text + character });
    }
  }
  return [...found.values()];
}

/** Cost of a step of an automaton, which makes lists and a name for them, in steps of a {@link Budget}. */
const STEP_COST = 8;

/** The one text of a glob without wildcards and without folding; undefined for others. */
function readText({ units, fold }: Glob): string | undefined {
  const characters = units.map((unit) => (unit.is === 'character' ? unit.character : undefined));
  return fold || characters.includes(undefined) ? undefined : characters.join('');
}

/** Samples the texts themselves, and one text that is none of them. */
function sampleAround(texts: readonly string[]): string[] {
  const named = new Set(texts);
  let other = 'x';
  while (named.has(other)) other += 'x';
  return [...named, other];
}

const ANYTHING: Glob = { units: [{ is: 'run', colon: true }], fold: false };

function keyOf(state: readonly number[][]): string {
  return state.map((positions) => positions.join(',')).join(';');
}

/** Adds to positions those after a run, since a run may be empty. */
function close({ units }: Glob, positions: readonly number[]): number[] {
  const closed = new Set<number>();
  for (const position of positions) {
    closed.add(position);
    for (let at = position; units[at]?.is === 'run'; at += 1) closed.add(at + 1);
  }
  return [...closed].sort((a, b) => a - b);
}

function advance(glob: Glob, positions: readonly number[], character: string): number[] {
  const next = positions.flatMap((position) => {
    const unit = glob.units[position];
    if (unit === undefined) return [];
    if (unit.is === 'character') return isSame(unit.character, character, glob.fold) ? [position + 1] : [];
    if (character === ':' && !unit.colon) return [];
    return unit.is === 'run' ? [position] : [position + 1];
  });
  return close(glob, next);
}

function isSame(wanted: string, character: string, fold: boolean): boolean {
  return wanted === character || (fold && wanted.toLowerCase() === character.toLowerCase());
}

/** The characters that make a difference in this state, and one that stands for all others. */
function expected(globs: readonly Glob[], state: readonly number[][], fresh: string): Set<string> {
  const characters = new Set([fresh]);
  for (const [index, positions] of state.entries()) {
    const { units = [], fold = false } = globs[index] ?? {};
    for (const position of positions) {
      const unit = units[position];
      if (unit === undefined) continue;
      if (unit.is !== 'character') {
        if (!unit.colon) characters.add(':');
      } else if (fold) {
        characters.add(unit.character.toLowerCase());
        characters.add(unit.character.toUpperCase());
      } else characters.add(unit.character);
    }
  }
  return characters;
}

/** A character of no glob, in either case. */
function freshCharacter(globs: readonly Glob[]): string {
  const used = new Set(
    globs.flatMap(({ units }) =>
      units.flatMap((unit) => (unit.is === 'character' ? [unit.character.toLowerCase()] : [])),
    ),
  );
  const letters = Array.from('xzqjkvwybfghmuplncdrtoeais-_.0123456789');
  const free = letters.find((letter) => !used.has(letter));
  if (free !== undefined) return free;
  for (let code = 0xe000; ; code += 1) {
    const character = String.fromCodePoint(code);
    if (!used.has(character)) return character;
  }
}

/** Whether a glob folds the case of letters whose two cases are not one character each, which no automaton here does. */
export function foldsUnusualLetters({ units, fold }: Glob): boolean {
  return fold && units.some((unit) => unit.is === 'character' && (unit.character.codePointAt(0) ?? 0) > 0x7f);
}
