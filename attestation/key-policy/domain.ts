import type { KeySpace, Value } from './key-space.ts';
import { type Demand, textOf, type Literal } from './verdict.ts';

/** What the values of one key of a request can still be, after some literals were taken to be met. */
export interface Domain {
  readonly absent: boolean;
  readonly many: boolean;
  /** Those that meet every literal that asks something of all values. */
  readonly values: readonly Value[];
  /** One value of each of these has to be there. */
  readonly needs: readonly (readonly Value[])[];
  /** Values that met a literal only perhaps. */
  readonly unsure: ReadonlySet<Value>;
  /** Literals that were met, and whether they had to hold. */
  readonly met: ReadonlyMap<string, boolean>;
}

export function openDomain({ absent, many, values }: KeySpace): Domain {
  return { absent, many, values, needs: [], unsure: new Set(), met: new Map() };
}

/** Takes a literal to be met: the same domain when nothing is given up for it, undefined when nothing is left. */
export function narrowDomain(domain: Domain, literal: Literal, demand: Demand): Domain | undefined {
  const text = textOf(literal);
  const known = domain.met.get(text);
  if (known !== undefined) return known === literal.holds ? domain : undefined;
  const verdicts = new Map(domain.values.map((value) => [value, demand.each(value)] as const));
  const fitting = demand.present ? domain.values.filter((value) => verdicts.get(value) !== 'no') : [];
  const perhaps = fitting.filter((value) => verdicts.get(value) === 'maybe');
  const absent = domain.absent && demand.absent;
  const one = domain.many && demand.of === 'one';
  if (absent === domain.absent && fitting.length === domain.values.length && perhaps.length === 0)
    return domain;
  const values = one ? domain.values : fitting;
  const needs = one ? [...domain.needs, fitting] : domain.needs;
  const open = fitting.length > 0 && needs.every((need) => need.some((value) => values.includes(value)));
  if (!open && !absent) return undefined;
  return {
    absent,
    many: domain.many,
    values: open ? values : [],
    needs: open ? needs : [],
    unsure: new Set([...domain.unsure, ...perhaps]),
    met: new Map([...domain.met, [text, literal.holds]]),
  };
}

/** Values that meet everything, as few as possible, and those that surely do before those that may; none where the key may be absent. */
export function pickValues({ absent, values, needs, unsure }: Domain): readonly Value[] {
  if (absent) return [];
  const first = (list: readonly Value[]): Value[] => {
    const left = list.filter((value) => values.includes(value));
    return (
      left.find((value) => !unsure.has(value)) === undefined
        ? left
        : left.filter((value) => !unsure.has(value))
    ).slice(0, 1);
  };
  return needs.length === 0 ? first(values) : [...new Set(needs.flatMap(first))];
}

/** Leaves only what the predicate takes; an empty list stands for a request without the key. */
export function restrictDomain(domain: Domain, takes: (values: readonly string[]) => boolean): Domain {
  return {
    ...domain,
    absent: domain.absent && takes([]),
    values: domain.values.filter((value) => typeof value !== 'string' || takes([value])),
  };
}
