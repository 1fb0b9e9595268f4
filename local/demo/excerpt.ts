import type { Shown } from '../testbed/vault/index.ts';

/** Lines of one change that are quoted; the rest is counted. */
const MAX_CHANGES = 5;
const MAX_WIDTH = 118;
/** Digests and ids, of which the beginning is enough to tell them apart here. */
const LONG_HEX = /\b([0-9a-f]{12})[0-9a-f]{20,}\b/g;

/** Quotes what a person reads of `vault apply`: the steps that are ready with their changes, and the outcome. */
export function quoteApply(command: string, { stderr, stdout }: Shown): readonly string[] {
  const [plan = ''] = stderr.split(/^begins /m);
  const changes = plan
    .split(/^(?=\S)/m)
    .filter((item) => item.startsWith('to do'))
    .flatMap((item) => foldItem(item.trimEnd().split('\n')));
  return [`$ ${command}`, ...changes, ...linesOf(stdout)].map(shorten);
}

/** Quotes all that a verb has said. */
export function quoteAll(command: string, { stderr, stdout }: Shown): readonly string[] {
  return [`$ ${command}`, ...linesOf(stderr), ...linesOf(stdout)];
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function foldItem([head = '', ...changes]: readonly string[]): readonly string[] {
  const indent = ' '.repeat(11);
  const more = changes.length - MAX_CHANGES;
  if (more <= 1) return [head, ...changes];
  return [head, ...changes.slice(0, MAX_CHANGES), `${indent}… and ${more} lines more`];
}

function shorten(line: string): string {
  const short = line.replaceAll(LONG_HEX, '$1…');
  return short.length > MAX_WIDTH ? `${short.slice(0, MAX_WIDTH - 1)}…` : short;
}
