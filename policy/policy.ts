import { type Algorithm, type KeyType, type PayloadKind } from '../shared/algorithms.ts';
import {
  type Configuration,
  CONFIGURATION_FORMAT_1,
  type Operation,
  type PermitRule,
} from '../shared/documents/configuration.ts';
import { type Rate } from './rate-limits.ts';

/** A rule with its lists as sets. */
export interface PreparedRule {
  readonly id: string;
  /** The place of the rule in {@link RateLimits}. */
  readonly index: number;
  readonly operations: ReadonlySet<Operation>;
  readonly keys: ReadonlySet<string>;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly payloads: ReadonlySet<PayloadKind>;
  readonly rate: Rate | null;
}

/** A configuration's permissions, prepared once so that each decision is a few look-ups. */
export interface Policy {
  /** Each client's rules, in the order in which their rates are drawn on. */
  readonly rulesOf: ReadonlyMap<string, readonly PreparedRule[]>;
  readonly keys: ReadonlyMap<string, KeyType>;
  readonly ruleCount: number;
}

/** Counts the different requests that a rule permits. */
function measureWidth(rule: PermitRule): number {
  const { operations, clients, keys, algorithms, payloads } = rule;
  return operations.length * clients.length * keys.length * algorithms.length * payloads.length;
}

/**
 * Orders rules by which of them is drawn on first. Rules only permit, and each rate is a grant of its own: where
 * several rules match, a request is permitted while one of them has something left. The order does not depend on that
 * in the file: rules without a rate first, then the narrowest, so that requests which only a wide rule permits are not
 * starved; equal ones by name. The rate of a narrow rule is therefore no limit where a wider rule matches too.
 */
function compareRules(a: PermitRule, b: PermitRule): number {
  return (
    Number(a.rate !== null) - Number(b.rate !== null) ||
    measureWidth(a) - measureWidth(b) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** Prepares the rules of a configuration that was verified and parsed. */
export function preparePolicy(configuration: Configuration): Policy {
  const rulesOf = new Map<string, PreparedRule[]>(configuration.clients.map(({ id }) => [id, []]));
  for (const [index, rule] of permitsOf(configuration).toSorted(compareRules).entries()) {
    const prepared: PreparedRule = {
      id: rule.id,
      index,
      operations: new Set(rule.operations),
      keys: new Set(rule.keys),
      algorithms: new Set(rule.algorithms),
      payloads: new Set(rule.payloads),
      rate: rule.rate,
    };
    for (const client of rule.clients) rulesOf.get(client)?.push(prepared);
  }
  return {
    rulesOf,
    keys: new Map(configuration.keys.map(({ id, type }) => [id, type])),
    ruleCount: configuration.rules.length,
  };
}

/** Lists the rules that are evaluated: those of format 1. Format 2 permits nothing as long as nothing evaluates it. */
function permitsOf({ format, rules }: Configuration): PermitRule[] {
  return format === CONFIGURATION_FORMAT_1 ? rules.filter((rule) => rule.effect === 'permit') : [];
}
