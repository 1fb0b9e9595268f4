import type { Condition, PermitRule, Rule } from '../../shared/documents/configuration.ts';
import { BALLOTS, CONSENSUS_SELECTORS, type OperationRule, OPERATIONS, TRANSFER_TICKET } from './kinds.ts';
import { UNLIMITED } from '../../shared/documents/configuration/rules.ts';

/** What rules of one key say: who asks, which key, and how it signs. */
export interface RuleScope {
  readonly client: string;
  readonly key: string;
  readonly algorithm: string;
  /** CAIP-2. */
  readonly network: string;
}

/** A rule as it is written: the schema of configurations reads it before anybody gets it. */
export type DraftRule = Omit<Rule, 'algorithms' | 'payloads'> & {
  readonly algorithms: readonly string[];
  readonly payloads: readonly string[];
};

const condition = (type: Condition['type'], selectors?: readonly string[]): Condition => ({
  type,
  to: null,
  assets: null,
  contracts: null,
  amount: null,
  ...(selectors === undefined ? {} : { selectors: [...selectors] }),
});

interface Permission {
  readonly name: string;
  readonly payload: string;
  readonly networks: readonly string[] | null;
  readonly effects: readonly Condition[];
  readonly features: readonly string[];
}

function permit(
  scope: RuleScope,
  { name, payload, networks, effects, features }: Permission,
): Omit<PermitRule, 'algorithms' | 'payloads'> & Pick<DraftRule, 'algorithms' | 'payloads'> {
  return {
    id: `${scope.key}-${name}`,
    effect: 'permit',
    operations: ['sign'],
    clients: [scope.client],
    keys: [scope.key],
    algorithms: [scope.algorithm],
    payloads: [payload],
    ...UNLIMITED,
    networks: networks && [...networks],
    effects: [...effects],
    features: [...features],
  };
}

/** Writes the rule for consensus requests. @param kinds at least one, by Signatory's names */
export function writeConsensusRule(
  scope: RuleScope,
  kinds: readonly (keyof typeof CONSENSUS_SELECTORS)[],
): DraftRule {
  return permit(scope, {
    name: 'consensus',
    payload: 'tezos-consensus',
    networks: [scope.network],
    effects: [
      condition(
        'consensus',
        kinds.map((kind) => CONSENSUS_SELECTORS[kind]),
      ),
    ],
    features: [],
  });
}

/** Writes the rule for data that `PACK` makes, messages of wallets among them. */
export const writeDataRule = (scope: RuleScope): DraftRule =>
  permit(scope, {
    name: 'data',
    payload: 'tezos-data',
    networks: null,
    effects: [condition('message')],
    features: ['tezos:packed-data'],
  });

/** Writes the rule for proofs that a key of BLS12-381 is held. */
export const writePossessionRule = (scope: RuleScope): DraftRule =>
  permit(scope, {
    name: 'possession',
    payload: 'tezos-proof-of-possession',
    networks: null,
    effects: [condition('message')],
    features: [],
  });

/** Tells whether a rule can permit an operation beside the others, and nothing else with it. */
export function isPermissible(name: string, names: ReadonlySet<string>): boolean {
  return OPERATIONS.has(name) || (name === TRANSFER_TICKET && names.has('transaction'));
}

/**
 * Writes the rules for operations: a permit, and where transactions are permitted beside some votes, a denial of the other
 * votes, which the condition of contract calls would let through.
 *
 * @param names at least one, each {@link isPermissible}
 */
export function writeOperationRules(scope: RuleScope, names: ReadonlySet<string>): DraftRule[] {
  const known = [...names].flatMap((name) => OPERATIONS.get(name) ?? []);
  const features = new Set(known.flatMap((each) => each.features));
  if (names.has(TRANSFER_TICKET)) features.add('tezos:transfer-ticket');
  const rule = permit(scope, {
    name: 'operations',
    payload: 'tezos-operation',
    networks: [scope.network],
    effects: listConditions(known),
    features: [...features].toSorted(),
  });
  const others = BALLOTS.filter((vote) => !names.has(vote));
  const isOpen = names.has('transaction') && others.length < BALLOTS.length && others.length > 0;
  return isOpen ? [rule, denyBallots(scope, others)] : [rule];
}

/** Lists one condition for each type of effect: without selectors where the ordinary operation is permitted, too. */
function listConditions(rules: readonly OperationRule[]): Condition[] {
  const selectors = new Map<Condition['type'], string[] | undefined>();
  for (const { type, selector, also = [] } of rules) {
    const known = selectors.has(type) ? selectors.get(type) : [];
    selectors.set(type, selector === null || known === undefined ? undefined : [...known, selector]);
    for (const other of also) selectors.set(other, undefined);
  }
  return [...selectors].map(([type, names]) => condition(type, names));
}

function denyBallots({ client, key, algorithm }: RuleScope, votes: readonly string[]): DraftRule {
  return {
    id: `${key}-no-other-ballots`,
    effect: 'deny',
    operations: ['sign'],
    clients: [client],
    keys: [key],
    algorithms: [algorithm],
    payloads: ['tezos-operation'],
    networks: null,
    time: null,
    effects: [condition('call', votes)],
    features: null,
  };
}
