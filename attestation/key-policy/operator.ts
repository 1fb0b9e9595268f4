import { KeyPolicyError } from './errors.ts';

/** The comparison of a condition operator, without its negation, quantifier and IfExists. */
export type Comparison =
  | 'StringEquals'
  | 'StringEqualsIgnoreCase'
  | 'StringLike'
  | 'NumericEquals'
  | 'NumericLessThan'
  | 'NumericLessThanEquals'
  | 'NumericGreaterThan'
  | 'NumericGreaterThanEquals'
  | 'DateEquals'
  | 'DateLessThan'
  | 'DateLessThanEquals'
  | 'DateGreaterThan'
  | 'DateGreaterThanEquals'
  | 'Bool'
  | 'BinaryEquals'
  | 'IpAddress'
  | 'ArnLike'
  | 'Null';

export interface Operator {
  readonly comparison: Comparison;
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly quantifier?: 'ForAllValues' | 'ForAnyValue';
}

const PLAIN: readonly Comparison[] = [
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'NumericEquals',
  'NumericLessThan',
  'NumericLessThanEquals',
  'NumericGreaterThan',
  'NumericGreaterThanEquals',
  'DateEquals',
  'DateLessThan',
  'DateLessThanEquals',
  'DateGreaterThan',
  'DateGreaterThanEquals',
  'Bool',
  'BinaryEquals',
  'IpAddress',
  'ArnLike',
  'Null',
];

type BaseOperator = Pick<Operator, 'comparison' | 'negated'>;
const OPERATORS: ReadonlyMap<string, BaseOperator> = new Map<string, BaseOperator>([
  ...PLAIN.map((comparison) => [comparison, { comparison, negated: false }] as const),
  ['StringNotEquals', { comparison: 'StringEquals', negated: true }],
  ['StringNotEqualsIgnoreCase', { comparison: 'StringEqualsIgnoreCase', negated: true }],
  ['StringNotLike', { comparison: 'StringLike', negated: true }],
  ['NumericNotEquals', { comparison: 'NumericEquals', negated: true }],
  ['DateNotEquals', { comparison: 'DateEquals', negated: true }],
  ['NotIpAddress', { comparison: 'IpAddress', negated: true }],
  // ArnEquals and ArnLike behave alike.
  ['ArnEquals', { comparison: 'ArnLike', negated: false }],
  ['ArnNotEquals', { comparison: 'ArnLike', negated: true }],
  ['ArnNotLike', { comparison: 'ArnLike', negated: true }],
]);

const NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/**
 * Parses the name of a condition operator, with its quantifier and IfExists.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
 * @throws KeyPolicyError POLICY_MALFORMED
 */
export function parseOperator(name: string, path: string): Operator {
  const [, quantifier, base, ifExists] = NAME.exec(name) ?? [];
  const operator = base === undefined ? undefined : OPERATORS.get(base);
  if (operator === undefined || (operator.comparison === 'Null' && ifExists !== undefined)) {
    throw new KeyPolicyError('POLICY_MALFORMED', 'unknown condition operator', { path, value: name });
  }
  return {
    ...operator,
    ifExists: ifExists !== undefined,
    ...(quantifier === 'ForAllValues' || quantifier === 'ForAnyValue' ? { quantifier } : {}),
  };
}
