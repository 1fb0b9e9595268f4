import type { AddressBook, Condition } from '../../shared/documents/configuration.ts';
import type { EffectType } from '../../shared/effect-types.ts';
import { normaliseOn } from '../../shared/addresses.ts';
import type { EffectFacts } from './facts.ts';
import { nameAccount, nameAmbiguous, normaliseName } from './names.ts';

/** A condition with its lists as sets, and its amounts as numbers. */
export interface PreparedCondition {
  readonly type: EffectType;
  /** Sets of accounts, one for each address book; null: anybody. */
  readonly to: readonly ReadonlySet<string>[] | null;
  readonly assets: ReadonlySet<string> | null;
  /** Names under which a call may move one of the assets, or something else of their contracts. */
  readonly ambiguousAssets: ReadonlySet<string>;
  /** By contract: its selectors, or null for all of them. */
  readonly contracts: ReadonlyMap<string, ReadonlySet<string> | null> | null;
  /** Selectors of the chain's own protocol, which effects without a contract have; null: any effect. */
  readonly selectors: ReadonlySet<string> | null;
  readonly min: bigint | null;
  readonly max: bigint | null;
}

/** The part of a condition that an effect does not match. */
export type ConditionField = 'effects' | 'to' | 'assets' | 'contracts' | 'selectors' | 'amount';

/** Whether an effect matches; `unknown` where it lacks what the condition looks at. */
type Match = 'yes' | 'no' | 'unknown';

/** The accounts of each address book, which all rules share. */
export type Books = ReadonlyMap<string, ReadonlySet<string>>;

export function prepareBooks(books: readonly AddressBook[]): Books {
  return new Map(
    books.map(({ id, network, entries }) => [
      id,
      new Set(entries.map(({ address }) => nameAccount(network, address))),
    ]),
  );
}

export function prepareCondition(
  { type, to, assets, contracts, amount, selectors }: Condition,
  books: Books,
): PreparedCondition {
  const names = assets && assets.map(normaliseName);
  return {
    type,
    to: to && prepareDestinations(to, books),
    assets: names && new Set(names),
    ambiguousAssets: new Set((names ?? []).flatMap((name) => nameAmbiguous(name) ?? [])),
    contracts: contracts && prepareContracts(contracts),
    selectors: selectors === undefined ? null : new Set(selectors),
    min: amount === null || amount.min === null ? null : BigInt(amount.min),
    max: amount === null || amount.max === null ? null : BigInt(amount.max),
  };
}

function prepareDestinations({ books, addresses }: NonNullable<Condition['to']>, known: Books) {
  const named = books.map((id) => {
    const book = known.get(id);
    if (book === undefined) throw new RangeError(`no address book has the id ${id}`);
    return book;
  });
  return addresses.length === 0 ? named : [...named, new Set(addresses.map(normaliseName))];
}

/** Gathers the selectors of each contract; a contract that stands twice may be called by all of them. */
function prepareContracts(contracts: NonNullable<Condition['contracts']>) {
  const prepared = new Map<string, Set<string> | null>();
  for (const { address, selectors } of contracts) {
    const name = normaliseName(address);
    const known = prepared.get(name);
    if (selectors === null || known === null) prepared.set(name, null);
    else {
      prepared.set(name, new Set([...(known ?? []), ...selectors.map((each) => normaliseOn(address, each))]));
    }
  }
  return prepared;
}

function compareTo({ to }: PreparedCondition, effect: EffectFacts): Match {
  if (to === null) return 'yes';
  const name = effect.to;
  if (name === null) return 'unknown';
  for (const accounts of to) if (accounts.has(name)) return 'yes';
  return 'no';
}

function compareAssets({ assets, ambiguousAssets }: PreparedCondition, { asset }: EffectFacts): Match {
  if (assets === null) return 'yes';
  if (asset === null) return 'unknown';
  if (assets.has(asset)) return 'yes';
  return ambiguousAssets.has(asset) ? 'unknown' : 'no';
}

function compareContracts({ contracts }: PreparedCondition, { contract }: EffectFacts): Match {
  if (contracts === null) return 'yes';
  if (contract === null) return 'unknown';
  return contracts.has(contract) ? 'yes' : 'no';
}

function compareSelectors(
  { contracts, selectors: ofProtocol }: PreparedCondition,
  { contract, selector }: EffectFacts,
): Match {
  if (ofProtocol !== null) return compareProtocol(ofProtocol, contract, selector);
  if (contracts === null) return 'yes';
  const selectors = contract === null ? undefined : contracts.get(contract);
  if (selectors === null) return 'yes';
  if (selectors === undefined || selector === null) return 'unknown';
  return selectors.has(selector) ? 'yes' : 'no';
}

function compareProtocol(
  selectors: ReadonlySet<string>,
  contract: string | null,
  selector: string | null,
): Match {
  if (contract !== null) return 'no';
  if (selector === null) return 'unknown';
  return selectors.has(selector) ? 'yes' : 'no';
}

function compareAmount({ min, max }: PreparedCondition, { total }: EffectFacts): Match {
  if (min === null && max === null) return 'yes';
  if (total === null) return 'unknown';
  return (min === null || total >= min) && (max === null || total <= max) ? 'yes' : 'no';
}

/**
 * Finds the first part of a permit's condition that an effect does not match for certain; undefined where it matches in
 * all of them.
 */
export function findUnmatched(condition: PreparedCondition, effect: EffectFacts): ConditionField | undefined {
  if (condition.type !== effect.type) return 'effects';
  if (compareTo(condition, effect) !== 'yes') return 'to';
  if (compareAssets(condition, effect) !== 'yes') return 'assets';
  if (compareContracts(condition, effect) !== 'yes') return 'contracts';
  if (compareSelectors(condition, effect) !== 'yes') return 'selectors';
  return compareAmount(condition, effect) === 'yes' ? undefined : 'amount';
}

/** Tells whether an effect matches a denial's condition, or may match it for all that is known. */
export function mayMatch(condition: PreparedCondition, effect: EffectFacts): boolean {
  return (
    condition.type === effect.type &&
    compareTo(condition, effect) !== 'no' &&
    compareAssets(condition, effect) !== 'no' &&
    compareContracts(condition, effect) !== 'no' &&
    compareSelectors(condition, effect) !== 'no' &&
    compareAmount(condition, effect) !== 'no'
  );
}
