import { hasOneReading, matchValue } from './comparison.ts';
import { matchCondition, type Condition } from './condition.ts';
import { ANY_VALUE, type Value } from './key-space.ts';
import type { RequestContext } from './pattern.ts';

/** Verdict on a value; `maybe` where a policy variable, or a value that has no reading or more than one, decides. */
export type Verdict = 'yes' | 'no' | 'maybe';

/** A condition that has to hold, or to fail. */
export interface Literal {
  readonly condition: Condition;
  /** Whether its policy fills in variables. */
  readonly variables: boolean;
  readonly holds: boolean;
}

/** Demands of a literal on the values of its key. */
export interface Demand {
  /** Whether a request without the key meets it. */
  readonly absent: boolean;
  /** Whether a request with the key can meet it at all. */
  readonly present: boolean;
  /** Judges one value by itself. */
  readonly each: (value: Value) => Verdict;
  /** Whether all values have to meet it, or one. */
  readonly of: 'all' | 'one';
}

/**
 * Derives the demands of a literal: the rules of {@link matchCondition}, value by value, for a request of which only
 * `fixed` is known.
 */
export function demandOf({ condition, variables, holds }: Literal, fixed: RequestContext): Demand {
  const { operator, values } = condition;
  if (operator.comparison === 'Null') {
    const asks = (wanted: string): boolean =>
      values.some((value) => value.toLowerCase() === wanted) === holds ||
      !values.every((value) => hasOneReading('Null', value, variables));
    return { absent: asks('true'), present: asks('false'), each: () => 'yes', of: 'all' };
  }
  const matches = (value: Value): Verdict => judge(condition, value, { context: fixed, variables });
  const absent = matchCondition(condition, { context: new Map(), variables: false }) === holds;
  // Whether a value has to match: under a negated operator that holds, none may.
  const wanted = operator.negated !== holds;
  const each = (value: Value): Verdict => {
    const verdict = matches(value);
    return wanted || verdict === 'maybe' ? verdict : verdict === 'yes' ? 'no' : 'yes';
  };
  const forAll =
    operator.quantifier === undefined
      ? operator.negated === holds
      : (operator.quantifier === 'ForAllValues') === holds;
  return { absent, present: true, each, of: forAll ? 'all' : 'one' };
}

/** Whether a value matches one of those that a condition lists. */
function judge(
  { operator: { comparison }, values }: Condition,
  value: Value,
  scope: { readonly context: RequestContext; readonly variables: boolean },
): Verdict {
  if (value === ANY_VALUE) return 'maybe';
  const matches = (wanted: string, unknown: 'any' | 'none'): boolean =>
    matchValue(comparison, wanted, value, { ...scope, unknown });
  const readable = values.filter((wanted) => hasOneReading(comparison, wanted, scope.variables));
  if (readable.some((wanted) => matches(wanted, 'none'))) return 'yes';
  if (readable.length < values.length) return 'maybe';
  return scope.variables && values.some((wanted) => hasVariable(wanted) && matches(wanted, 'any'))
    ? 'maybe'
    : 'no';
}

function hasVariable(value: string): boolean {
  return value.includes('${');
}

/** Key of a literal: equal for literals on the same condition, whether it has to hold or to fail. */
export function textOf({ condition: { operator, key, values }, variables }: Literal): string {
  return JSON.stringify([operator, key.toLowerCase(), values, variables && values.some(hasVariable)]);
}
