import type { Algorithm, KeyType, PayloadKind, PoolKeyType } from '../shared/algorithms.ts';
import type { Configuration, DenyRule, PermitRule, Rule } from '../shared/documents/configuration.ts';
import type { Operation } from '../shared/operations.ts';
import { type Books, prepareBooks, prepareCondition, type PreparedCondition } from './matching/conditions.ts';
import { prepareRequirement, type Requirement } from './matching/consent.ts';
import { prepareRecovery, type PreparedRecovery } from './matching/recovery.ts';
import { prepareLimit, type PreparedLimit } from './matching/limits.ts';
import { normaliseName } from './matching/names.ts';
import { type PreparedTiers, prepareTiers } from './matching/tiers.ts';
import { type PreparedTime, prepareTime } from './matching/time.ts';
import { type Rate } from './rate-limits.ts';

/** Members of permits and denials, the lists as sets. */
interface PreparedScope {
  readonly id: string;
  /** Clients and groups of clients. */
  readonly clients: ReadonlySet<string>;
  readonly operations: ReadonlySet<Operation>;
  readonly keys: ReadonlySet<string>;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly payloads: ReadonlySet<PayloadKind>;
  readonly networks: ReadonlySet<string> | null;
  readonly time: PreparedTime | null;
}

export interface PreparedPermit extends PreparedScope {
  readonly effect: 'permit';
  /** The place of the rule in {@link RateLimits}. */
  readonly index: number;
  readonly conditions: readonly PreparedCondition[];
  readonly features: ReadonlySet<string>;
  readonly fee: { readonly asset: string; readonly max: bigint; readonly share: bigint | null } | null;
  readonly gas: bigint | null;
  readonly nonce: { readonly min: bigint; readonly max: bigint } | null;
  readonly limits: readonly PreparedLimit[];
  readonly approvals: Requirement | null;
  readonly tiers: readonly PreparedTiers[];
  readonly rate: Rate | null;
  /** All whom the rule may ask: any of them may reject. */
  readonly asked: ReadonlySet<string>;
}

export interface PreparedDenial extends PreparedScope {
  readonly effect: 'deny';
  readonly conditions: readonly PreparedCondition[] | null;
  readonly features: ReadonlySet<string> | null;
}

/** A client: its own name and those of its groups, and the approver behind it. */
export interface PreparedClient {
  readonly names: readonly string[];
  readonly person: string | null;
}

/** A pool of keys: clients and groups of clients that see it, and the types of keys that it may hold. */
interface PreparedPool {
  readonly clients: ReadonlySet<string>;
  readonly types: ReadonlySet<PoolKeyType>;
}

/** A configuration's permissions, prepared once so that each decision is a few look-ups. */
export interface Policy {
  readonly clients: ReadonlyMap<string, PreparedClient>;
  readonly keys: ReadonlyMap<string, KeyType>;
  readonly pools: ReadonlyMap<string, PreparedPool>;
  /** Keys that need a kept backup; undefined where none does. */
  readonly recovery: PreparedRecovery | undefined;
  readonly denials: RuleIndex<PreparedDenial>;
  /** In the order in which they are drawn on. */
  readonly permits: RuleIndex<PreparedPermit>;
  /** Number of rules that permit: those that may have a rate. */
  readonly ruleCount: number;
}

/** Rules by the names that a request can have; each list is in the rules' own order. */
export interface RuleIndex<Rule> {
  readonly all: readonly Rule[];
  readonly byClient: ReadonlyMap<string, readonly Rule[]>;
  readonly byKey: ReadonlyMap<string, readonly Rule[]>;
  /** Lists that were asked for: they follow from the others, and save the search. */
  readonly remembered: Map<string, readonly Rule[]>;
}

/** Counts the different requests that a rule permits, as far as its lists say. */
function measureWidth(rule: Rule): number {
  const { operations, clients, keys, algorithms, payloads } = rule;
  return operations.length * clients.length * keys.length * algorithms.length * payloads.length;
}

/**
 * Orders permits by which of them is drawn on first. Each rate is a grant of its own: where several rules match, a
 * request is permitted while one of them has something left. The order does not depend on that in the file: rules without
 * a rate first, then the narrowest, so that requests which only a wide rule permits are not starved; equal ones by name.
 * The rate of a narrow rule is therefore no limit where a wider rule matches too.
 */
function comparePermits(a: PermitRule, b: PermitRule): number {
  return (
    Number(a.rate !== null) - Number(b.rate !== null) ||
    measureWidth(a) - measureWidth(b) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** Prepares the rules of a configuration that was verified and parsed. */
export function preparePolicy(configuration: Configuration): Policy {
  const { rules, keys, pools = [], approverGroups } = configuration;
  const books = prepareBooks(configuration.addressBooks);
  const groups = new Map(approverGroups.map(({ id, approvers }) => [id, approvers]));
  const permits = rules
    .filter((rule) => rule.effect === 'permit')
    .toSorted(comparePermits)
    .map((rule, index) => preparePermit(rule, { index, books, groups }));
  const denials = rules.filter((rule) => rule.effect === 'deny').map((rule) => prepareDenial(rule, books));
  return {
    clients: prepareClients(configuration),
    keys: new Map(keys.map(({ id, type }) => [id, type])),
    pools: new Map(
      pools.map(({ id, clients, types }) => [id, { clients: new Set(clients), types: new Set(types) }]),
    ),
    recovery: configuration.recovery && prepareRecovery(configuration.recovery),
    denials: indexRules(denials),
    permits: indexRules(permits),
    ruleCount: permits.length,
  };
}

function prepareClients({ clients, clientGroups }: Configuration): Map<string, PreparedClient> {
  const names = new Map(clients.map(({ id }) => [id, [id]]));
  for (const group of clientGroups) for (const id of group.clients) names.get(id)?.push(group.id);
  return new Map(clients.map(({ id, person }) => [id, { names: names.get(id) ?? [id], person }]));
}

function prepareScope(rule: Rule): PreparedScope {
  return {
    id: rule.id,
    clients: new Set(rule.clients),
    operations: new Set(rule.operations),
    keys: new Set(rule.keys),
    algorithms: new Set(rule.algorithms),
    payloads: new Set(rule.payloads),
    networks: rule.networks && new Set(rule.networks),
    time: rule.time && prepareTime(rule.time),
  };
}

function preparePermit(
  rule: PermitRule,
  context: { index: number; books: Books; groups: ReadonlyMap<string, readonly string[]> },
): PreparedPermit {
  const { fee, gas, nonce } = rule;
  const approvals = rule.approvals && prepareRequirement(rule.approvals, context.groups);
  const tiers = rule.tiers.map((each) => prepareTiers(each, context.groups));
  const requirements = [approvals, ...tiers.flatMap(({ steps }) => steps.map((step) => step.approvals))];
  return {
    ...prepareScope(rule),
    effect: 'permit',
    index: context.index,
    conditions: rule.effects.map((condition) => prepareCondition(condition, context.books)),
    features: new Set(rule.features),
    fee: fee && {
      asset: normaliseName(fee.asset),
      max: BigInt(fee.max),
      share: fee.maxShareBasisPoints === null ? null : BigInt(fee.maxShareBasisPoints),
    },
    gas: gas && BigInt(gas.max),
    nonce: nonce && { min: BigInt(nonce.min), max: BigInt(nonce.max) },
    limits: rule.limits.map(prepareLimit),
    approvals,
    tiers,
    rate: rule.rate,
    asked: new Set(requirements.flatMap((each) => each?.groups ?? []).flatMap(({ people }) => [...people])),
  };
}

function prepareDenial(rule: DenyRule, books: Books): PreparedDenial {
  return {
    ...prepareScope(rule),
    effect: 'deny',
    conditions: rule.effects && rule.effects.map((condition) => prepareCondition(condition, books)),
    features: rule.features && new Set(rule.features),
  };
}

function indexRules<Each extends PreparedScope>(all: readonly Each[]): RuleIndex<Each> {
  const gather = (namesOf: (rule: Each) => Iterable<string>) => {
    const index = new Map<string, Each[]>();
    for (const rule of all) {
      for (const name of namesOf(rule)) {
        const known = index.get(name);
        if (known === undefined) index.set(name, [rule]);
        else known.push(rule);
      }
    }
    return index;
  };
  return {
    all,
    byClient: gather(({ clients }) => clients),
    byKey: gather(({ keys }) => keys),
    remembered: new Map(),
  };
}

/** The most lists of rules that are remembered. */
const MAX_REMEMBERED = 1024;

function remember<Each>(
  { remembered }: RuleIndex<Each>,
  name: string,
  list: () => readonly Each[],
): readonly Each[] {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const rules = list();
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(name, rules);
  return rules;
}

/** Lists the rules that name a client, by itself or by a group, and a key; in their order. */
export function listRules<Each extends PreparedScope>(
  index: RuleIndex<Each>,
  { names }: PreparedClient,
  key: string,
): readonly Each[] {
  const [id = ''] = names;
  return remember(index, JSON.stringify([id, key]), () => {
    const ofKey = index.byKey.get(key) ?? [];
    const ofClient = names.length === 1 ? (index.byClient.get(id) ?? []) : ofKey;
    return ofClient.length < ofKey.length
      ? ofClient.filter((rule) => rule.keys.has(key))
      : ofKey.filter(({ clients }) => names.some((name) => clients.has(name)));
  });
}

/** Tells whether a client sees a pool: by its own name, or by that of a group. */
export function seesPool({ clients, pools }: Policy, client: string, pool: string): boolean {
  const named = pools.get(pool)?.clients;
  return named !== undefined && (clients.get(client)?.names ?? []).some((name) => named.has(name));
}

/** Lists the permits of {@link listRules} that name what else of a signature does not change from one to the next. */
export function listSigningPermits(
  index: RuleIndex<PreparedPermit>,
  client: PreparedClient,
  {
    key,
    algorithm,
    payload,
    network,
  }: {
    readonly key: string;
    readonly algorithm: Algorithm;
    readonly payload: PayloadKind;
    readonly network: string | null;
  },
): readonly PreparedPermit[] {
  return remember(index, JSON.stringify([client.names[0], key, algorithm, payload, network]), () =>
    listRules(index, client, key).filter(
      ({ operations, algorithms, payloads, networks }) =>
        operations.has('sign') &&
        algorithms.has(algorithm) &&
        payloads.has(payload) &&
        (networks === null || (network !== null && networks.has(network))),
    ),
  );
}
