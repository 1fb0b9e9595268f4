import type { KeySpace, Value } from './key-space.ts';
import { type Demand, textOf, type Literal } from './verdict.ts';

/** The values that one key of a request can still have, after some literals were taken to be met. */
export interface Domain {
  readonly absent: boolean;
  readonly many: boolean;
  /** Values that meet every literal on all values. */
  readonly values: readonly Value[];
  /** Sets of values of each of which the request must have one. */
  readonly needs: readonly (readonly Value[])[];
  /** Values that may or may not meet a literal, as a policy variable decides. */
  readonly unsure: ReadonlySet<Value>;
  /** Literals that were taken to be met, by their text, and whether each had to hold. */
  readonly met: ReadonlyMap<string, boolean>;
}

export function openDomain({ absent, many, values }: KeySpace): Domain {
  return { absent, many, values, needs: [], unsure: new Set(), met: new Map() };
}

/** Narrows a domain by a literal: the same domain when no value falls away, undefined when none is left. */
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

/** Picks as few values as meet every literal, sure ones before unsure ones; none where the key may be absent. */
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

/** Restricts a domain to values that a predicate accepts; an empty list stands for a request without the key. */
export function restrictDomain(domain: Domain, takes: (values: readonly string[]) => boolean): Domain {
  return {
    ...domain,
    absent: domain.absent && takes([]),
    values: domain.values.filter((value) => typeof value !== 'string' || takes([value])),
  };
}
