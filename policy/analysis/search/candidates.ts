import {
  type Algorithm,
  ALGORITHMS,
  BLIND_PAYLOAD_KINDS,
  describeAlgorithm,
  listUsages,
  type PayloadKind,
  type PoolKeyType,
} from '../../../shared/algorithms.ts';
import type { Condition, Configuration, PermitRule, Rule } from '../../../shared/documents/configuration.ts';
import type { EffectType } from '../../../shared/effect-types.ts';
import { isPoolOperation, type PoolOperation } from '../../../shared/operations.ts';
import { listAlgorithmsOf, type PoolKeyKind } from '../../request.ts';
import type { Effect, Transaction } from '../../transactions/index.ts';
import { coinOf, findMoment, type Pools } from './pools.ts';

/** A request to try, with the moment at which it arrives. */
export interface Candidate {
  readonly operation: 'sign' | PoolOperation;
  readonly client: string;
  /** A key, or a pool. */
  readonly key: string;
  /** What the key is, where `key` is a pool. */
  readonly poolKey?: PoolKeyKind | undefined;
  /** null where a key of a pool is made or administered. */
  readonly algorithm: Algorithm | null;
  /** What is to be signed; null for other operations. */
  readonly payload: PayloadKind | null;
  readonly transaction: Transaction | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Votes that have arrived, under a rule; null where the request is new. */
  readonly consent: { readonly rule: string; readonly approvers: readonly string[] } | null;
}

/** Amounts, assets and accounts of one condition that are tried together. */
const MAX_PER_CONDITION = 8;

const listClients = ({ clientGroups }: Configuration, names: readonly string[]) =>
  names.flatMap((name) => clientGroups.find(({ id }) => id === name)?.clients ?? [name]);

const isBlind = (kind: PayloadKind) => (BLIND_PAYLOAD_KINDS as readonly PayloadKind[]).includes(kind);

const splitAccount = (account: string) => {
  const end = account.indexOf(':', account.indexOf(':') + 1);
  return { network: account.slice(0, end), address: account.slice(end + 1) };
};

/** Requests that a rule is about: first one that it is likely to match, then one for each of its names and bounds. */
export function* listCandidates(
  rule: Rule,
  configuration: Configuration,
  pools: Pools,
  now: number,
): Generator<Candidate> {
  const at = (rule.time === null ? undefined : findMoment(rule.time, now)) ?? now;
  const common = { at, consent: null };
  const clients = listClients(configuration, rule.clients);
  for (const { key, poolKey, algorithm, payload, network } of listScopes(rule, configuration)) {
    for (const effects of listEffects(rule, configuration, { payload, network, pools })) {
      const transaction = makeTransaction(rule, { payload, network, effects });
      for (const client of clients) {
        const operation = 'sign';
        const base = { ...common, operation, client, key, poolKey, algorithm, payload, transaction } as const;
        yield base;
        yield* vary(base, rule, configuration, pools);
      }
    }
  }
  for (const asked of listPoolOperations(rule, configuration)) {
    for (const client of clients) {
      const base: Candidate = { ...common, ...asked, client, payload: null, transaction: null };
      yield base;
      yield* varyAll(base, pools);
    }
  }
}

/** Kinds of payloads that are read and name no network. */
const NETWORKLESS: readonly PayloadKind[] = ['ethereum-message', 'tezos-data', 'tezos-proof-of-possession'];

/** Lists what stands together: a key with its algorithms, their payloads, and the networks that they can be for. */
function* listScopes({ keys, algorithms, payloads, networks }: Rule, configuration: Configuration) {
  for (const { id, poolKey, algorithms: own, networks: served } of listNamed(keys, configuration)) {
    for (const algorithm of algorithms) {
      if (!own.includes(algorithm)) continue;
      const { payloads: kinds } = describeAlgorithm(algorithm);
      for (const payload of payloads) {
        if (!kinds.includes(payload)) continue;
        const named = networks ?? served;
        const all = isBlind(payload) || NETWORKLESS.includes(payload) || named.length === 0 ? [null] : named;
        for (const network of all) yield { key: id, poolKey, algorithm, payload, network };
      }
    }
  }
}

/** Lists keys, and what a pool can have in its keys' place: each of its types for each usage. */
function listNamed(ids: readonly string[], { keys, pools = [] }: Configuration) {
  return ids.flatMap((id) => [
    ...keys
      .filter((key) => key.id === id)
      .map(({ type, networks }) => ({
        id,
        poolKey: undefined,
        networks,
        algorithms: ALGORITHMS.filter((one) => describeAlgorithm(one).keys.includes(type)),
      })),
    ...pools
      .filter((pool) => pool.id === id)
      .flatMap(({ types }) => types.flatMap(listKinds))
      .map((poolKey) => ({ id, poolKey, networks: [], algorithms: listAlgorithmsOf(poolKey) })),
  ]);
}

const listKinds = (type: PoolKeyType): PoolKeyKind[] => listUsages(type).map((usage) => ({ type, usage }));

/** Lists the operations on keys of pools that a rule names, with each algorithm that fits. */
function* listPoolOperations({ keys, algorithms, operations }: Rule, configuration: Configuration) {
  for (const { id, poolKey, algorithms: own } of listNamed(keys, configuration)) {
    if (poolKey === undefined) continue;
    const named = own.filter((algorithm) => algorithms.includes(algorithm));
    for (const operation of operations.filter(isPoolOperation)) {
      const isKeyless = operation === 'create-key' || operation === 'administer-key';
      for (const algorithm of isKeyless && named.length > 0 ? [null] : named)
        yield { operation, key: id, poolKey, algorithm };
    }
  }
}

interface Surroundings {
  readonly payload: PayloadKind;
  readonly network: string | null;
  readonly pools: Pools;
}

/** Lists effects that match a rule: one of each condition, at each of its bounds; then two together. */
function* listEffects(rule: Rule, configuration: Configuration, around: Surroundings): Generator<Effect[]> {
  if (isBlind(around.payload)) {
    yield [makeEffect({ type: 'blind' })];
    return;
  }
  const conditions = rule.effects ?? [ANY_TRANSFER];
  const first: Effect[] = [];
  for (const condition of conditions) {
    let isFirst = true;
    for (const effect of listOfCondition(condition, rule, configuration, around)) {
      if (isFirst) first.push(effect);
      isFirst = false;
      yield [effect];
    }
  }
  if (first.length > 1) yield first;
}

const ANY_TRANSFER: Condition = { type: 'transfer', to: null, assets: null, contracts: null, amount: null };

function* listOfCondition(
  condition: Condition,
  rule: Rule,
  { addressBooks }: Configuration,
  { network, pools }: Surroundings,
): Generator<Effect> {
  const ofNetwork = (account: string) => network === null || account.startsWith(`${network}:`);
  const { to, assets, contracts, amount, type, selectors } = condition;
  const books = addressBooks.filter(({ id }) => to?.books.includes(id));
  const accounts =
    to === null
      ? pools.accounts.filter(ofNetwork).slice(-1)
      : [
          ...books.flatMap((book) => book.entries.map(({ address }) => `${book.network}:${address}`)),
          ...to.addresses,
        ].filter(ofNetwork);
  const coin = network === null ? [null] : [coinOf(network)];
  const preferred = rule.effect === 'permit' ? preferredAssets(rule) : [];
  const own = assets ?? unique<string | null>([...preferred, ...coin]);
  const calls =
    contracts?.flatMap(({ address, selectors }) =>
      (selectors ?? [null]).map((selector) => ({ contract: splitAccount(address).address, selector })),
    ) ?? (selectors ?? [null]).map((selector) => ({ contract: null, selector }));
  const amounts = unique([
    ...[amount?.max, amount?.min].flatMap((bound) => (typeof bound === 'string' ? [BigInt(bound)] : [])),
    ...boundsOf(rule),
    1n,
    0n,
  ]);
  for (const account of accounts.slice(0, MAX_PER_CONDITION)) {
    const { address } = splitAccount(account);
    for (const asset of own.slice(0, MAX_PER_CONDITION)) {
      for (const call of calls.slice(0, MAX_PER_CONDITION)) {
        for (const each of amounts.slice(0, MAX_PER_CONDITION)) {
          yield makeEffect({ type, to: address, asset, amount: each, ...call });
        }
      }
    }
  }
}

const unique = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];

const preferredAssets = ({ fee, limits, tiers }: PermitRule) => [
  ...(fee === null ? [] : [fee.asset]),
  ...limits.map(({ asset }) => asset),
  ...tiers.map(({ asset }) => asset),
];

function boundsOf(rule: Rule): bigint[] {
  if (rule.effect === 'deny') return [];
  const steps = rule.tiers.flatMap((tier) => tier.steps.flatMap(({ max }) => max ?? []));
  return [...rule.limits.map(({ max }) => max), ...steps].map(BigInt).toSorted((a, b) => (a < b ? -1 : 1));
}

function makeEffect(members: Partial<Effect> & { readonly type: EffectType }): Effect {
  return { to: null, asset: null, amount: null, contract: null, selector: null, details: {}, ...members };
}

function makeTransaction(
  rule: Rule,
  { payload, network, effects }: { payload: PayloadKind; network: string | null; effects: readonly Effect[] },
): Transaction {
  const { fee = null, nonce = null } = rule.effect === 'permit' ? rule : {};
  const asset = fee?.asset ?? (network === null ? null : coinOf(network));
  return {
    kind: payload,
    network,
    source: null,
    effects,
    fee: asset === null ? null : { asset, amount: 0n },
    nonce: BigInt(nonce?.min ?? 0),
    gas: 0n,
    // A denial by features is about those transactions alone that have them.
    features: rule.effect === 'deny' ? (rule.features ?? []) : [],
    details: {},
  };
}

/** Varies a request in one member at a time, by the values that either configuration names. */
function* vary(
  base: Candidate & { readonly transaction: Transaction },
  rule: Rule,
  configuration: Configuration,
  pools: Pools,
): Generator<Candidate> {
  const { transaction } = base;
  const changed = (changes: Partial<Transaction>): Candidate => ({
    ...base,
    transaction: { ...transaction, ...changes },
  });
  const [first, ...rest] = transaction.effects;
  const withEffect = (changes: Partial<Effect>) =>
    changed({ effects: first === undefined ? [] : [{ ...first, ...changes }, ...rest] });
  for (const feature of pools.features) yield changed({ features: [feature] });
  if (pools.features.length > 1) yield changed({ features: pools.features });
  for (const amount of pools.amounts) yield withEffect({ amount });
  yield withEffect({ amount: null });
  for (const account of pools.accounts) {
    const { network, address } = splitAccount(account);
    if (network === transaction.network) yield withEffect({ to: address });
  }
  for (const asset of pools.assets) yield withEffect({ asset });
  for (const { address, selector } of pools.contracts)
    yield withEffect({ contract: splitAccount(address).address, selector });
  const { fee } = transaction;
  if (fee !== null) for (const amount of pools.fees) yield changed({ fee: { ...fee, amount } });
  for (const gas of pools.gas) yield changed({ gas });
  for (const nonce of pools.nonces) yield changed({ nonce });
  yield changed({ fee: null, gas: null, nonce: null });
  yield* varyAll(base, pools);
  for (const network of pools.networks) yield changed({ network });
  if (rule.effect === 'deny' || (rule.approvals === null && rule.tiers.length === 0)) return;
  const people = configuration.approvers.map(({ id }) => id);
  yield { ...base, consent: { rule: rule.id, approvers: people } };
  for (const person of people) {
    yield { ...base, consent: { rule: rule.id, approvers: [person] } };
    yield { ...base, consent: { rule: rule.id, approvers: people.filter((other) => other !== person) } };
  }
}

/** Varies what every request has. */
function* varyAll(base: Candidate, pools: Pools): Generator<Candidate> {
  for (const client of pools.clients) yield { ...base, client };
  if (base.poolKey === undefined) for (const key of pools.keys) yield { ...base, key };
  else for (const key of pools.keyPools) yield { ...base, key };
  for (const at of pools.moments) yield { ...base, at };
}
