import { describeReminder, overlapAt, type OverlapState } from '../../../upgrade/index.ts';
import type { Exchange } from '../../exchange/index.ts';
import { roleOfNode, type VaultDocument } from '../../index.ts';
import { describeStatus, type VaultStatus } from '../status.ts';
import { rollBackCeremony, upgradeCeremony } from './ceremony.ts';
import { findUpgradeState, type UpgradeName } from './state.ts';
import { findUpgradeStatement, type Upgrade } from './upgrade.ts';

/** Overlap of one node, as its admin has stated it. */
export interface OverlapStatus {
  readonly node: number;
  /** End of the overlap, RFC 3339; null where the admin has not named it yet. */
  readonly until: string | null;
  /** Whether the admin has rebuilt the image; null where nothing was stated yet. */
  readonly rebuilt: boolean | null;
  /**
   * As the node's own admin has told it, whatever others tell: nobody has looked at the policy itself. Null before the admin's first
   * word.
   */
  readonly overlap: OverlapState | null;
  /** Words for people, where there is something to remind of. */
  readonly reminder: string | null;
}

/** How far a vault's upgrade is, as the exchanged statements show it to whoever has them. */
export interface UpgradeStatus {
  /** Release that the nodes run, as infrastructure has stated last. */
  readonly running: string;
  /** Upgrade that is under way, or has ended last; null: there was none. */
  readonly upgrade: UpgradeName | null;
  /** `back`: it is being rolled back, or was. */
  readonly direction: 'forward' | 'back' | null;
  readonly isUnderWay: boolean;
  /** Whether the day of a node is over, and its policy still waits for its end. */
  readonly isOverdue: boolean;
  /** Image of which infrastructure has told, where the admins' words say otherwise; null: they agree, or nothing was told. */
  readonly outruled: 'new' | 'old' | null;
  /** Nodes that stayed down when the others went back, and that infrastructure has to take along. */
  readonly left: readonly number[];
  readonly steps: VaultStatus['steps'];
  readonly roles: VaultStatus['roles'];
  readonly nodes: readonly OverlapStatus[];
}

/**
 * Finds how far an upgrade is, by the statements alone: no credentials are needed, and no key.
 *
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed
 */
export async function describeUpgrade(
  vault: VaultDocument,
  exchange: Exchange,
  now: number,
): Promise<UpgradeStatus> {
  const { running, open, closed } = await findUpgradeState(vault, exchange);
  const upgrade = open?.upgrade ?? closed?.upgrade ?? null;
  const direction =
    open?.direction ?? (closed === undefined ? null : closed.image === 'new' ? 'forward' : 'back');
  if (upgrade === null || direction === null)
    return {
      running,
      upgrade: null,
      direction: null,
      isUnderWay: false,
      isOverdue: false,
      outruled: null,
      left: [],
      steps: [],
      roles: [],
      nodes: [],
    };
  const ceremonyOf = direction === 'forward' ? upgradeCeremony : rollBackCeremony;
  const { steps, roles } = await describeStatus(vault, exchange, ceremonyOf(vault, nameOnly(upgrade)));
  const nodes: OverlapStatus[] = [];
  for (const { node } of vault.nodes) nodes.push(await describeOverlap(exchange, upgrade, node, now));
  return {
    running,
    upgrade,
    direction,
    isUnderWay: open !== undefined,
    isOverdue: nodes.some(({ overlap }) => overlap === 'expired'),
    outruled: await findOutruled(exchange, upgrade, direction),
    left: (open ?? closed)?.left ?? [],
    steps,
    roles,
    nodes,
  };
}

/** Finds of which image infrastructure has told last in this upgrade, where that is not the one to which it leads. */
async function findOutruled(
  exchange: Exchange,
  upgrade: UpgradeName,
  direction: 'forward' | 'back',
): Promise<'new' | 'old' | null> {
  const told = await findUpgradeStatement({ exchange }, upgrade, 'infrastructure', 'upgrade-nodes');
  const image = told?.facts.image ?? null;
  return image === (direction === 'forward' ? 'new' : 'old') ? null : image;
}

async function describeOverlap(
  exchange: Exchange,
  upgrade: UpgradeName,
  node: number,
  now: number,
): Promise<OverlapStatus> {
  const role = roleOfNode(node);
  const stated = await findUpgradeStatement({ exchange }, upgrade, role, 'upgrade-configuration');
  const narrowed = await findUpgradeStatement({ exchange }, upgrade, role, 'upgrade-narrow');
  const back = await findUpgradeStatement({ exchange }, upgrade, role, 'upgrade-rollback');
  if (stated === undefined) {
    const overlap = narrowed !== undefined ? 'narrowed' : back !== undefined ? 'before' : null;
    return { node, until: null, rebuilt: null, overlap, reminder: null };
  }
  const { until, rebuilt } = stated.facts;
  const day = Date.parse(until);
  const overlap = narrowed !== undefined ? 'narrowed' : back !== undefined ? 'before' : overlapAt(day, now);
  return { node, until, rebuilt, overlap, reminder: describeReminder(node, overlap, day, now) ?? null };
}

/** An upgrade of which nobody does a step. */
function nameOnly(upgrade: UpgradeName): Upgrade {
  return {
    ...upgrade,
    release: () => Promise.reject(new TypeError('expected no step to be done')),
    until: undefined,
    isRebuilt: false,
    canary: 1,
    client: undefined,
    report: () => undefined,
  };
}
