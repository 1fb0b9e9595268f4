import type { Configuration, PermitRule, Rule, TimeWindow } from '../../../shared/documents/configuration.ts';
import { isWithin, prepareTime } from '../../matching/time.ts';

const DAY_MS = 86_400_000;

/** Values that two configurations name, beside those next to their bounds. */
export interface Pools {
  readonly clients: readonly string[];
  readonly keys: readonly string[];
  /** Pools of keys, by their ids. */
  readonly keyPools: readonly string[];
  readonly networks: readonly string[];
  /** Accounts by CAIP-10: of address books and rules, and one that none names. */
  readonly accounts: readonly string[];
  readonly assets: readonly string[];
  readonly contracts: readonly { readonly address: string; readonly selector: string | null }[];
  readonly amounts: readonly bigint[];
  readonly fees: readonly bigint[];
  readonly gas: readonly bigint[];
  readonly nonces: readonly bigint[];
  readonly features: readonly string[];
  readonly moments: readonly number[];
}

const unique = <Value>(values: Iterable<Value>): Value[] => [...new Set(values)];
/** A bound and its neighbours, from which one side of each comparison differs. */
const around = (values: readonly (string | null | undefined)[]): bigint[] =>
  unique(
    values.flatMap((value) => {
      if (value === null || value === undefined) return [];
      const bound = BigInt(value);
      return bound === 0n ? [0n, 1n] : [bound, bound + 1n, bound - 1n];
    }),
  );
const isPermit = (rule: Rule): rule is PermitRule => rule.effect === 'permit';

/** Gathers the values that configurations name. @param now milliseconds since 1970 */
export function gatherPools(configurations: readonly Configuration[], now: number): Pools {
  const rules = configurations.flatMap((each) => each.rules);
  const permits = rules.filter(isPermit);
  const conditions = rules.flatMap(({ effects }) => effects ?? []);
  const networks = unique([
    ...configurations.flatMap(({ keys }) => keys.flatMap((key) => key.networks)),
    ...rules.flatMap((rule) => rule.networks ?? []),
  ]);
  const books = configurations.flatMap(({ addressBooks }) => addressBooks);
  return {
    clients: unique(configurations.flatMap(({ clients }) => clients.map(({ id }) => id))),
    keys: unique(configurations.flatMap(({ keys }) => keys.map(({ id }) => id))),
    keyPools: unique(configurations.flatMap(({ pools = [] }) => pools.map(({ id }) => id))),
    networks,
    accounts: unique([
      ...conditions.flatMap(({ to }) => to?.addresses ?? []),
      ...books.flatMap(({ network, entries }) => entries.map(({ address }) => `${network}:${address}`)),
      ...networks.map((network) => `${network}:nobody`),
    ]),
    assets: unique([
      ...conditions.flatMap(({ assets }) => assets ?? []),
      ...permits.flatMap(({ fee, limits, tiers }) => [
        ...(fee === null ? [] : [fee.asset]),
        ...limits.map(({ asset }) => asset),
        ...tiers.map(({ asset }) => asset),
      ]),
      ...networks.map(coinOf),
    ]),
    contracts: conditions.flatMap(({ contracts }) =>
      (contracts ?? []).flatMap(({ address, selectors }) =>
        (selectors ?? [null]).map((selector) => ({ address, selector })),
      ),
    ),
    amounts: unique([
      1n,
      0n,
      ...around(conditions.flatMap(({ amount }) => [amount?.max, amount?.min])),
      ...around(permits.flatMap(({ limits }) => limits.map(({ max }) => max))),
      ...around(permits.flatMap(({ tiers }) => tiers.flatMap(({ steps }) => steps.map(({ max }) => max)))),
    ]),
    fees: unique([0n, ...around(permits.map(({ fee }) => fee?.max))]),
    gas: unique([0n, ...around(permits.map(({ gas }) => gas?.max))]),
    nonces: unique([0n, ...around(permits.flatMap(({ nonce }) => [nonce?.min, nonce?.max]))]),
    features: unique(rules.flatMap(({ features }) => features ?? [])),
    moments: unique([
      now,
      ...rules.flatMap(({ time }) => (time === null ? [] : listMoments(time, now))),
      ...configurations.flatMap(({ notAfter }) =>
        notAfter === undefined ? [] : [Date.parse(notAfter), Date.parse(notAfter) + 1],
      ),
    ]).filter((moment) => moment >= 0),
  };
}

/** Names the coin of a network by CAIP-19. */
export function coinOf(network: string): string {
  const namespace = network.slice(0, network.indexOf(':'));
  const type = { eip155: 60, bip122: 0, tezos: 1729, solana: 501 }[namespace] ?? 0;
  return `${network}/slip44:${type}`;
}

/** Lists moments at the bounds of a window and next to them, and one within it. */
function listMoments(window: TimeWindow, now: number): number[] {
  const inside = findMoment(window, now);
  const { notBefore, notAfter, hours, days } = window;
  const bounds = [notBefore, notAfter].flatMap((each) => (each === null ? [] : [Date.parse(each)]));
  const edges = hours === null ? [] : [hours.from, hours.to].map((time) => minutesOf(time) * 60_000);
  const day = Math.floor((inside ?? now) / DAY_MS) * DAY_MS;
  return [
    ...(inside === undefined ? [] : [inside]),
    ...[...bounds, ...edges.map((edge) => day + edge)].flatMap((at) => [at - 1, at, at + 1]),
    ...(days === null ? [] : Array.from({ length: 7 }, (_, index) => (inside ?? now) + index * DAY_MS)),
  ];
}

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Finds a moment within a window, the next one from now on if there is any. */
export function findMoment(window: TimeWindow, now: number): number | undefined {
  const prepared = prepareTime(window);
  const starts = [now, prepared.notBefore, prepared.notAfter - 7 * DAY_MS].filter(
    (start) => Number.isFinite(start) && start >= 0,
  );
  for (const start of starts) {
    for (let day = 0; day <= 7; day += 1) {
      const midnight = Math.floor(start / DAY_MS) * DAY_MS + day * DAY_MS;
      for (const moment of [start + day * DAY_MS, midnight + prepared.from * 60_000, prepared.notAfter]) {
        if (isWithin(prepared, moment) === true) return moment;
      }
    }
  }
  return undefined;
}
