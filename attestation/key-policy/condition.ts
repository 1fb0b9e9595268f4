import { matchValue, type ComparisonScope } from './comparison.ts';
import type { Operator } from './operator.ts';
import type { RequestContext } from './pattern.ts';

/** One line of a Condition element: `{"OPERATOR": {"KEY": VALUES}}`. */
export interface Condition {
  readonly operator: Operator;
  /** The condition key as written; comparisons ignore its case. */
  readonly key: string;
  readonly values: readonly string[];
}

/**
 * Whether one condition holds. The rules for a key that the request does not carry, and for quantifiers, are those
 * of the IAM User Guide, "Condition operators", "…IfExists" and "Set operators for multivalued context keys".
 */
export function matchCondition(condition: Condition, scope: ComparisonScope): boolean {
  const { operator } = condition;
  const actual = scope.context.get(condition.key.toLowerCase()) ?? [];
  if (operator.comparison === 'Null') {
    return condition.values.some((value) => value.toLowerCase() === String(actual.length === 0));
  }
  if (actual.length === 0) {
    if (operator.ifExists || operator.quantifier === 'ForAllValues') return true;
    return operator.quantifier === 'ForAnyValue' ? false : operator.negated;
  }
  const matches = (value: string): boolean =>
    condition.values.some((wanted) => matchValue(operator.comparison, wanted, value, scope));
  if (operator.quantifier === 'ForAllValues') {
    return actual.every((value) => matches(value) !== operator.negated);
  }
  if (operator.quantifier === 'ForAnyValue') {
    return actual.some((value) => matches(value) !== operator.negated);
  }
  return actual.some(matches) !== operator.negated;
}

/** Whether all conditions of a statement hold. */
export function matchConditions(
  conditions: readonly Condition[],
  context: RequestContext,
  variables: boolean,
): boolean {
  return conditions.every((condition) => matchCondition(condition, { context, variables }));
}
