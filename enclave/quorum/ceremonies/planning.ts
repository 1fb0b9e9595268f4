import { randomBytes } from 'node:crypto';
import type { CeremonyMember, FormerGroup, Plan, PlannedKey } from '../../../audit/transcript/index.ts';
import type { ShareType } from '../../../shared/algorithms.ts';
import type { LedOrder } from './ceremonies.ts';
import { CeremonyError } from './errors.ts';
import { MAX_EPOCH_LEAP } from './plan-check.ts';
import type { KeyState } from './wire.ts';

/** What nodes have said of the keys of an order, by node. */
export type QuorumStates = ReadonlyMap<number, readonly KeyState[]>;

export interface PlanningParts {
  readonly states: QuorumStates;
  /** All nodes of the quorum, ascending. */
  readonly nodes: readonly number[];
  readonly self: number;
  readonly member: (node: number) => CeremonyMember | undefined;
  readonly typeOf: (key: string) => ShareType | undefined;
  /** The public key of the key that is imported. */
  readonly publicKey: Uint8Array | null;
  /** Threshold of the manifest. */
  readonly threshold: number;
  readonly now: number;
  readonly requestDigest: Uint8Array | null;
}

/** A key of an order, and the nodes that hold its share of the epoch that the plan starts from. */
interface Sourced {
  readonly key: string;
  readonly former: FormerGroup | null;
  readonly origin: Uint8Array | null;
  readonly holders: readonly number[];
}

/**
 * Makes the plan of an order out of what the nodes have said. Nothing here is believed: each participant checks the plan
 * against what it holds.
 *
 * @throws CeremonyError CEREMONY_KEY_STATE, CEREMONY_NODES_UNREACHABLE, CEREMONY_PLAN_REFUSED, CEREMONY_UNRESOLVED
 */
export function makePlan(order: LedOrder, parts: PlanningParts): Plan {
  const { operation, keys } = order;
  const { states, self, nodes } = parts;
  const isNew = operation === 'generate' || operation === 'import-key';
  const sources = keys.map((key): Sourced =>
    isNew ? { key, former: null, origin: null, holders: [] } : findSource(key, parts),
  );
  const [first] = sources;
  if (first === undefined) throw new RangeError('expected an order for at least one key');
  const former = first.former;
  if (sources.some((one) => one.former && former && !isSameQuorum(one.former, former)))
    throw new CeremonyError('CEREMONY_PLAN_REFUSED', 'the keys are held by different nodes', {
      reason: 'keys',
    });
  const holders = [...(order.holders ?? former?.holders ?? nodes)].toSorted((a, b) => a - b);
  const threshold = order.threshold ?? former?.threshold ?? parts.threshold;
  const dealers = chooseDealers(operation, self, holders, sources);
  const numbers = [...new Set([self, ...dealers, ...holders])].toSorted((a, b) => a - b);
  // Whoever takes no part has no say: a node that is removed would hinder that by what it says.
  const partakers = new Map([...states].filter(([node]) => numbers.includes(node)));
  return {
    format: 'holdfast-ceremony/1',
    id: new Uint8Array(randomBytes(16)),
    operation,
    coordinator: self,
    time: parts.now,
    threshold,
    dealers,
    holders,
    members: listMembers(numbers, parts),
    keys: sources.map((source) => planKey(source, { ...parts, states: partakers })),
    abandons: findAbandoned(order, holders, partakers),
    request: parts.requestDigest,
  };
}

function planKey({ key, former, origin }: Sourced, { states, typeOf, publicKey }: PlanningParts): PlannedKey {
  const type = typeOf(key);
  if (type === undefined)
    throw new CeremonyError('CEREMONY_KEY_STATE', 'the configuration has no such key', { key });
  // No participant takes a leap: whoever claims one would leave the key without epochs.
  const latest = (former?.epoch ?? 0) + MAX_EPOCH_LEAP - 1;
  const claimed = listStates(states, key).map(({ state }) => state.highest);
  const highest = Math.max(former?.epoch ?? 0, ...claimed.filter((one) => one <= latest));
  return { key, type, epoch: highest + 1, former, origin, publicKey };
}

function chooseDealers(
  operation: Plan['operation'],
  self: number,
  holders: readonly number[],
  sources: readonly Sourced[],
): number[] {
  if (operation === 'generate') return [...holders];
  if (operation === 'import-key') return [self];
  const [first] = sources;
  const wanted = first?.former?.threshold ?? 0;
  const able = (first?.holders ?? []).filter((node) => sources.every((one) => one.holders.includes(node)));
  if (able.length < wanted) {
    throw new CeremonyError('CEREMONY_NODES_UNREACHABLE', 'too few nodes that hold a share of the epoch', {
      expected: wanted,
      actual: able.length,
    });
  }
  // Nodes that stay deal before nodes that leave, which may have to be removed because they do not do their part.
  const leaving = able.filter((node) => !holders.includes(node));
  return [...able.filter((node) => holders.includes(node)), ...leaving]
    .slice(0, wanted)
    .toSorted((a, b) => a - b);
}

function listMembers(numbers: readonly number[], { member }: PlanningParts): CeremonyMember[] {
  const missing = numbers.filter((node) => member(node) === undefined);
  if (missing.length > 0)
    throw new CeremonyError('CEREMONY_NODES_UNREACHABLE', 'no session with nodes of the plan', {
      nodes: missing,
    });
  return numbers.flatMap((node) => member(node) ?? []);
}

function listStates(states: QuorumStates, key: string) {
  return [...states].flatMap(([node, all]) =>
    all.filter((state) => state.key === key).map((state) => ({ node, state })),
  );
}

/**
 * Finds the newest epoch of which enough nodes hold shares. A group of a lower threshold than the manifest's, which fewer
 * nodes could make up, is believed where this node holds a share of it.
 *
 * @throws CeremonyError CEREMONY_KEY_STATE
 */
function findSource(key: string, { states, threshold, self }: PlanningParts): Sourced {
  const own = states.get(self)?.find((state) => state.key === key);
  const ownName = own && nameGroup(own);
  const byGroup = new Map<string, { group: FormerGroup; origin: Uint8Array; holders: number[] }>();
  for (const { node, state } of listStates(states, key)) {
    const { group, origin } = state;
    if (group === null || origin === null || !group.holders.includes(node)) continue;
    const name = nameGroup(state);
    if (group.threshold < threshold && name !== ownName) continue;
    const known = byGroup.get(name) ?? { group, origin, holders: [] };
    known.holders.push(node);
    byGroup.set(name, known);
  }
  if (byGroup.size === 0)
    throw new CeremonyError('CEREMONY_KEY_STATE', 'no node that was reached holds a share of the key', {
      key,
    });
  const all = [...byGroup.values()].toSorted((one, other) => other.group.epoch - one.group.epoch);
  const usable = all.find(({ group, holders }) => holders.length >= group.threshold);
  if (usable === undefined) {
    throw new CeremonyError('CEREMONY_NODES_UNREACHABLE', 'too few nodes that hold a share of the epoch', {
      key,
    });
  }
  const { group, origin, holders } = usable;
  return { key, former: group, origin, holders: holders.toSorted((a, b) => a - b) };
}

/** Names a group by all that is public about it. */
function nameGroup({ group, origin }: KeyState): string {
  const { epoch, threshold, holders = [], commitments = [] } = group ?? {};
  return [epoch, threshold, holders, hex(origin ?? new Uint8Array()), ...commitments.map(hex)].join(' ');
}

function isSameQuorum(one: FormerGroup, other: FormerGroup): boolean {
  return one.threshold === other.threshold && String(one.holders) === String(other.holders);
}

/** Finds the ceremonies that a plan leaves behind: a holder of theirs is none of the plan's. */
function findAbandoned(
  { keys, operation }: LedOrder,
  holders: readonly number[],
  states: QuorumStates,
): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const key of keys) {
    for (const { state } of listStates(states, key)) {
      for (const { id, holders: awaited } of state.unresolved) {
        const isLeftOut = awaited.some((node) => !holders.includes(node));
        if (!isLeftOut || operation === 'refresh' || operation === 'repair')
          throw new CeremonyError('CEREMONY_UNRESOLVED', 'an earlier ceremony has no end yet', { key });
        found.set(hex(id), id);
      }
    }
  }
  return [...found.values()];
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
