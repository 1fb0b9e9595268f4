import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Condition } from './condition.ts';
import type { KeyPolicyStatement } from './document.ts';
import { variableOf } from './key-space.ts';
import type { PrincipalPattern } from './principal.ts';

/**
 * A statement reduced to its meaning: without its Sid, the order of lists and members, the form of a list of one, the case of
 * actions and of condition keys, and the case of values where the operator ignores it. Two statements with equal
 * canonical forms permit the same in any policy.
 */
export interface CanonicalStatement {
  readonly effect: 'Allow' | 'Deny';
  readonly principals: Elements;
  readonly actions: Elements;
  readonly resources: Elements;
  /** One text for each condition. */
  readonly conditions: readonly string[];
}

/** An element that lists what it means, or everything but that. */
interface Elements {
  readonly negated: boolean;
  readonly entries: readonly string[];
}

export function canonicalStatement(statement: KeyPolicyStatement, variables: boolean): CanonicalStatement {
  const { effect, principals, actions, resources, conditions } = statement;
  return {
    effect,
    principals: { negated: principals.negated, entries: sorted(principals.entries.map(textOf)) },
    actions: {
      negated: actions.negated,
      entries: sorted(actions.entries.map((action) => action.toLowerCase())),
    },
    resources: { negated: resources.negated, entries: sorted(resources.entries) },
    conditions: sorted(conditions.map((condition) => conditionText(condition, variables))),
  };
}

/** Computes the digest that names a statement in an exception or a record: SHA-256 of its canonical form, in hex. */
export function digestStatement(statement: CanonicalStatement): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(statement))));
}

function textOf(pattern: PrincipalPattern): string {
  switch (pattern.kind) {
    case 'any':
      return '*';
    case 'account':
      return `account ${pattern.accountId}`;
    case 'service':
      return `service ${pattern.name}`;
    case 'user':
    case 'role':
    case 'session':
    case 'federated-user':
      return `${pattern.kind} ${pattern.arn}`;
    case 'federated':
    case 'canonical':
    case 'unique-id':
    default:
      return `${pattern.kind} ${pattern.value}`;
  }
}

function conditionText({ operator, key, values }: Condition, variables: boolean): string {
  const fold = operator.comparison === 'StringEqualsIgnoreCase' || operator.comparison === 'Bool';
  // The name of a variable has no case, and its default has one, so a value with a variable keeps its case.
  const texts = values.map((value) => (fold && !value.includes('${') ? value.toLowerCase() : value));
  const { comparison, negated, ifExists, quantifier = '' } = operator;
  const open = variables && texts.some((text) => text.includes('${'));
  return JSON.stringify([comparison, negated, ifExists, quantifier, variableOf(key), open, sorted(texts)]);
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((a, b) => (a < b ? -1 : Number(a > b)));
}
