import type { Exchange, Facts, Statement, StepName } from './exchange/index.ts';
import type { VaultDocument } from './document.ts';
import { roleOfNode } from './roles.ts';

/** Names of the steps of an upgrade. */
export type UpgradeStepName = Extract<StepName, `upgrade-${string}`>;

/** From which release a vault goes to which, and which of its upgrades that is. */
export interface UpgradeName {
  /** Versions: the one that nodes run, and the one that they shall run. */
  readonly from: string;
  readonly to: string;
  /** Number of the upgrade, from 1; what was rolled back and is tried again has another one. */
  readonly attempt: number;
}

/** Upgrade that has moved nodes last: to the new image, or to the old one again. */
export interface LastUpgrade {
  readonly upgrade: UpgradeName;
  readonly image: 'new' | 'old';
  /** Nodes that infrastructure has told to run it. */
  readonly nodes: readonly { readonly node: number }[];
}

/** Reads which upgrade a statement is about; undefined for one of the first ceremony. */
export function upgradeOf({ step, facts }: Statement): UpgradeName | undefined {
  return step.startsWith('upgrade-') ? (facts as Facts<UpgradeStepName>).upgrade : undefined;
}

/** Whether both are the same try of the same upgrade. */
export function isSameUpgrade(one: UpgradeName | undefined, other: UpgradeName): boolean {
  return one?.attempt === other.attempt && one.from === other.from && one.to === other.to;
}

/** Steps of a node's admin, of which one at least tells of each upgrade that has moved nodes. */
const OF_ADMINS = ['upgrade-configuration', 'upgrade-gate', 'upgrade-narrow', 'upgrade-rollback'] as const;

/**
 * Finds which upgrade has moved nodes last. Infrastructure tells it; what no node's admin has named does not count, as an
 * attempt that is numbered so high that none could follow. How one has ended is for the admins to say, whose keys admit the
 * images: what all of them have stated outranks what infrastructure tells of the same upgrade, or of an earlier one.
 *
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed
 */
export async function findLastUpgrade(
  { nodes }: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
): Promise<LastUpgrade | undefined> {
  const told = (await exchange.statement('infrastructure', 'upgrade-nodes'))?.facts;
  if (told === undefined) return undefined;
  // Nodes that infrastructure has left are left still, where it tells of the same end.
  const endOf = (upgrade: UpgradeName, image: LastUpgrade['image']): LastUpgrade => {
    const isTold = told.image === image && isSameUpgrade(told.upgrade, upgrade);
    return { upgrade, image, nodes: isTold ? told.nodes : nodes };
  };
  const ended: LastUpgrade[] = [];
  let isNamed = false;
  for (const step of OF_ADMINS) {
    const named: (UpgradeName | undefined)[] = [];
    for (const { node } of nodes) {
      const stated = await exchange.statement(roleOfNode(node), step);
      named.push(stated && upgradeOf(stated));
    }
    isNamed ||= named.some((one) => isSameUpgrade(one, told.upgrade));
    const [upgrade] = named;
    if (upgrade === undefined || !named.every((one) => isSameUpgrade(one, upgrade))) continue;
    if (step === 'upgrade-narrow') ended.push(endOf(upgrade, 'new'));
    if (step === 'upgrade-rollback') ended.push(endOf(upgrade, 'old'));
  }
  // Of two with one number the first one stays in front: the end that all admins have stated.
  const known = isNamed ? [...ended, told] : ended;
  return known.toSorted((one, other) => other.upgrade.attempt - one.upgrade.attempt)[0];
}
