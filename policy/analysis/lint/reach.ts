import {
  ALGORITHMS,
  BLIND_PAYLOAD_KINDS,
  describeAlgorithm,
  isShareType,
  type Algorithm,
  type KeyUsage,
  listUsages,
  type PayloadKind,
} from '../../../shared/algorithms.ts';
import type {
  Condition,
  Configuration,
  NetworkKey,
  Pool,
  Rule,
} from '../../../shared/documents/configuration.ts';
import type { EffectType } from '../../../shared/effect-types.ts';
import { isPoolOperation, type Operation, operationSchema } from '../../../shared/operations.ts';
import { listAlgorithmsOf } from '../../request.ts';
import type { ConfigurationFinding } from './finding.ts';

/** Kinds of payloads whose transactions have effects of these types alone. */
const ONLY_EFFECTS: Partial<Record<PayloadKind, readonly EffectType[]>> = {
  message: ['blind'],
  digest: ['blind'],
  'taproot-sighash': ['blind'],
  'ethereum-authorization': ['authorise-code'],
  'ethereum-message': ['message'],
  'tezos-consensus': ['consensus'],
  'tezos-data': ['message'],
  'tezos-proof-of-possession': ['message'],
};
/** Kinds of payloads whose transactions may name no network. */
const WITHOUT_NETWORK: ReadonlySet<PayloadKind> = new Set([
  ...BLIND_PAYLOAD_KINDS,
  'ethereum-authorization',
  'ethereum-message',
  'ethereum-typed-data',
  'tezos-data',
  'tezos-proof-of-possession',
]);
const NAMESPACES: ReadonlyMap<string, string> = new Map([
  ['ethereum', 'eip155:'],
  ['bitcoin', 'bip122:'],
  ['tezos', 'tezos:'],
  ['solana', 'solana:'],
]);

export const isBlindKind = (kind: PayloadKind): boolean =>
  (BLIND_PAYLOAD_KINDS as readonly PayloadKind[]).includes(kind);

/** Names of a rule that stand together in some request. */
interface Reach {
  readonly operations: Set<Operation>;
  readonly keys: Set<string>;
  readonly algorithms: Set<Algorithm>;
  readonly payloads: Set<PayloadKind>;
  readonly networks: Set<string>;
}

/** Lists the networks that a transaction of this kind by this key can be for; undefined where it never is. */
function listNetworks(
  kind: PayloadKind,
  key: Pick<NetworkKey, 'networks'>,
  rule: Rule,
): readonly string[] | undefined {
  if (isBlindKind(kind)) return rule.networks === null || rule.effect === 'deny' ? [] : undefined;
  const namespace = NAMESPACES.get(kind.slice(0, kind.indexOf('-'))) ?? '';
  const served = key.networks.filter((network) => network.startsWith(namespace));
  if (served.length === 0) return undefined;
  const named = served.filter((network) => rule.networks === null || rule.networks.includes(network));
  const isAny = WITHOUT_NETWORK.has(kind) && (rule.networks === null || rule.effect === 'deny');
  return named.length > 0 || isAny ? named : undefined;
}

/** Tells whether an effect of this kind of payload can match one of a rule's conditions. */
function canHaveEffect(kind: PayloadKind, { effects }: Rule, books: ReadonlySet<string>): boolean {
  if (effects === null) return true;
  return effects.some(({ type, to }) => {
    const only = ONLY_EFFECTS[kind];
    const isOfKind = only === undefined ? type !== 'blind' && type !== 'consensus' : only.includes(type);
    const isAddressed = to === null || to.addresses.length > 0 || to.books.some((id) => books.has(id));
    return isOfKind && isAddressed;
  });
}

/** A key that a rule names, or one of the kinds of keys of a pool that it names. */
interface Named extends Pick<NetworkKey, 'id' | 'networks'> {
  readonly algorithms: readonly Algorithm[];
  /** Operations beside `sign` that such a key can be asked for. */
  readonly operations: readonly Operation[];
}

function listNamed({ keys }: Rule, { keys: known, pools = [] }: Configuration): Named[] {
  const ofKeys = known
    .filter(({ id }) => keys.includes(id))
    .map(({ id, type, networks }) => ({
      id,
      networks,
      algorithms: ALGORITHMS.filter((one) => {
        const { keys: types, usage } = describeAlgorithm(one);
        return types.includes(type) && usage === 'sign';
      }),
      operations: isShareType(type) ? SHARE_OPERATIONS : (['backup'] as const),
    }));
  return [...ofKeys, ...pools.filter(({ id }) => keys.includes(id)).flatMap(listKinds)];
}

const SHARE_OPERATIONS = operationSchema.options.filter((one) => one !== 'sign' && !isPoolOperation(one));
/** Operations that keys of a pool can be asked for, by their usage. */
const POOL_OPERATIONS: Readonly<Record<KeyUsage, readonly Operation[]>> = {
  sign: [],
  encrypt: ['encrypt', 'decrypt'],
  mac: ['mac'],
  agree: ['derive-secret'],
};

/** Lists the kinds of keys that a pool may hold: each of its types for each usage. */
function listKinds({ id, types }: Pool): Named[] {
  return types.flatMap((type) =>
    listUsages(type).map((usage) => ({
      id,
      networks: [],
      algorithms: listAlgorithmsOf({ type, usage }),
      operations: ['backup', 'create-key', 'administer-key', ...POOL_OPERATIONS[usage]] as const,
    })),
  );
}

function findReach(rule: Rule, named: readonly Named[], books: ReadonlySet<string>): Reach {
  const reach: Reach = {
    operations: new Set(),
    keys: new Set(),
    algorithms: new Set(),
    payloads: new Set(),
    networks: new Set(),
  };
  for (const key of named) {
    if (rule.operations.includes('backup')) {
      // A backup has neither algorithm nor payload: a rule names some for its form alone.
      reach.operations.add('backup');
      reach.keys.add(key.id);
      for (const name of rule.algorithms) reach.algorithms.add(name);
      for (const name of rule.payloads) reach.payloads.add(name);
    }
    for (const algorithm of key.algorithms.filter((one) => rule.algorithms.includes(one))) {
      const { payloads, usage } = describeAlgorithm(algorithm);
      const operations = rule.operations.filter((one) => key.operations.includes(one));
      if (operations.length > 0) {
        reach.keys.add(key.id);
        reach.algorithms.add(algorithm);
        for (const operation of operations) reach.operations.add(operation);
        // Operations on keys have no payload: a rule names some for its form alone.
        for (const kind of rule.payloads)
          if (usage !== 'sign' || payloads.includes(kind)) reach.payloads.add(kind);
      }
      if (!rule.operations.includes('sign') || usage !== 'sign') continue;
      for (const kind of rule.payloads) {
        const networks = payloads.includes(kind) ? listNetworks(kind, key, rule) : undefined;
        if (networks === undefined || !canHaveEffect(kind, rule, books)) continue;
        reach.operations.add('sign');
        reach.keys.add(key.id);
        reach.algorithms.add(algorithm);
        reach.payloads.add(kind);
        for (const network of networks) reach.networks.add(network);
      }
    }
  }
  return reach;
}

/** Finds rules that no request can match, and names in rules that take part in no request. */
export function lintReach(configuration: Configuration): ConfigurationFinding[] {
  const { rules, addressBooks } = configuration;
  const filled = new Set(addressBooks.filter(({ entries }) => entries.length > 0).map(({ id }) => id));
  return rules.flatMap((rule): ConfigurationFinding[] => {
    const reach = findReach(rule, listNamed(rule, configuration), filled);
    if (reach.keys.size === 0) {
      const text =
        'no request can match: its keys, algorithms, kinds of payloads, networks and effects never occur together';
      return [{ code: 'RULE_UNREACHABLE', severity: 'error', subject: rule.id, text }];
    }
    return [
      ...['operations', 'keys', 'algorithms', 'payloads'].flatMap((member) =>
        listUnreached(member, rule[member as 'keys'], reach[member as 'keys']),
      ),
      ...listUnreached('networks', rule.networks ?? [], reach.networks),
    ].map((text) => ({ code: 'RULE_NAME_UNREACHABLE', severity: 'warning', subject: rule.id, text }));
  });
}

function listUnreached(member: string, named: readonly string[], reached: ReadonlySet<string>): string[] {
  return named
    .filter((name) => !reached.has(name))
    .map((name) => `${member}: ${name} fits nothing else that the rule names`);
}

/** Finds permits of which one denial leaves nothing. Denials that only do so together are not found. */
export function lintDenied(configuration: Configuration): ConfigurationFinding[] {
  const denials = configuration.rules.filter(({ effect }) => effect === 'deny');
  return configuration.rules.flatMap((rule) => {
    if (rule.effect === 'deny') return [];
    const denial = denials.find((each) => covers(each, rule, configuration));
    const text = `rule ${denial?.id ?? ''} denies all that it permits`;
    return denial === undefined
      ? []
      : [{ code: 'RULE_DENIED_WHOLLY', severity: 'error', subject: rule.id, text } as const];
  });
}

const includesAll = (names: readonly string[], others: readonly string[]) =>
  others.every((name) => names.includes(name));

function covers(denial: Rule, permit: Rule, { clientGroups, keys }: Configuration): boolean {
  if (denial.effect !== 'deny' || denial.features !== null) return false;
  const listClients = (names: readonly string[]) =>
    names.flatMap((name) => clientGroups.find(({ id }) => id === name)?.clients ?? [name]);
  const networksOf = ({ networks, keys: ids }: Rule) =>
    networks ?? keys.filter(({ id }) => ids.includes(id)).flatMap((key) => key.networks);
  return (
    includesAll(listClients(denial.clients), listClients(permit.clients)) &&
    includesAll(denial.keys, permit.keys) &&
    includesAll(denial.algorithms, permit.algorithms) &&
    includesAll(denial.operations, permit.operations) &&
    includesAll(denial.payloads, permit.payloads) &&
    (denial.networks === null || includesAll(denial.networks, networksOf(permit))) &&
    (denial.time === null || JSON.stringify(denial.time) === JSON.stringify(permit.time)) &&
    (denial.effects === null ||
      (permit.effects ?? []).every((one) => denial.effects?.some((other) => coversCondition(other, one))))
  );
}

function coversCondition(denial: Condition, permit: Condition): boolean {
  const { to, assets, contracts, amount, selectors } = denial;
  const isTo =
    to === null ||
    (permit.to !== null &&
      includesAll(to.books, permit.to.books) &&
      includesAll(to.addresses, permit.to.addresses));
  const isAmount =
    amount === null ||
    (permit.amount !== null &&
      (amount.min === null ||
        (permit.amount.min !== null && BigInt(permit.amount.min) >= BigInt(amount.min))) &&
      (amount.max === null ||
        (permit.amount.max !== null && BigInt(permit.amount.max) <= BigInt(amount.max))));
  return (
    denial.type === permit.type &&
    isTo &&
    (assets === null || (permit.assets !== null && includesAll(assets, permit.assets))) &&
    (contracts === null || JSON.stringify(contracts) === JSON.stringify(permit.contracts)) &&
    (selectors === undefined ||
      (permit.selectors !== undefined && includesAll(selectors, permit.selectors))) &&
    isAmount
  );
}
