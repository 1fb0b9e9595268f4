import type { Micheline } from './micheline.ts';

/** Takes a right comb of `Pair` apart into `count` parts, however it is nested; undefined for any other expression. */
export function unpair(value: Micheline, count: number): readonly Micheline[] | undefined {
  if (count === 1) return [value];
  if (value.type !== 'prim' || value.prim !== 'Pair' || value.annotations.length > 0) return undefined;
  const [first, ...others] = value.args;
  const [second] = others;
  if (first === undefined || second === undefined) return undefined;
  const rest = unpair(others.length === 1 ? second : { ...value, args: others }, count - 1);
  return rest && [first, ...rest];
}
