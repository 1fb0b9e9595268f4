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
  /** Nodes that infrastructure has told to run it; all of them where it has told of the other image. */
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

/** Images that nodes' keys admit alone, as their own admins have told in an upgrade: the new one, or the old one again. */
interface AdminWords {
  readonly new: readonly number[];
  readonly old: readonly number[];
}

/**
 * Decides to which image an upgrade leads that has not ended. The admins' words hold, each for their own node, since no key lets
 * the other image in any more; infrastructure's counts where there are none, or too few on both sides. Once it has told of the new
 * image, fewer than the threshold who refuse that do not turn the others back: none of them narrows a key before every node
 * attests it.
 */
function decideImage(told: LastUpgrade['image'], words: AdminWords, threshold: number): LastUpgrade['image'] {
  const [forward, back] = [words.new.length, words.old.length];
  if (told === 'new' && back < threshold) return 'new';
  if (forward === 0 || back === 0) return forward > 0 ? 'new' : back > 0 ? 'old' : told;
  // The threshold on both sides, or on none: nobody can tell which of two quorums is meant.
  if (forward >= threshold === back >= threshold) return told;
  return forward >= threshold ? 'new' : 'old';
}

/**
 * Finds which upgrade has moved nodes last. Infrastructure tells it; what no node's admin has named does not count, as an
 * attempt that is numbered so high that none could follow. How one ends is for the admins to say, whose keys admit the
 * images: what all of them have stated outranks what infrastructure tells of the same upgrade, or of an earlier one, and what
 * some of them have stated outranks which image infrastructure tells of.
 *
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed
 */
export async function findLastUpgrade(
  { nodes, threshold }: VaultDocument,
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
  const words: { new: number[]; old: number[] } = { new: [], old: [] };
  let isNamed = false;
  for (const step of OF_ADMINS) {
    const named: (UpgradeName | undefined)[] = [];
    for (const { node } of nodes) {
      const stated = await exchange.statement(roleOfNode(node), step);
      named.push(stated && upgradeOf(stated));
    }
    const naming = nodes.flatMap(({ node }, index) =>
      isSameUpgrade(named[index], told.upgrade) ? [node] : [],
    );
    isNamed ||= naming.length > 0;
    if (step === 'upgrade-narrow') words.new = naming;
    if (step === 'upgrade-rollback') words.old = naming;
    const [upgrade] = named;
    if (upgrade === undefined || !named.every((one) => isSameUpgrade(one, upgrade))) continue;
    if (step === 'upgrade-narrow') ended.push(endOf(upgrade, 'new'));
    if (step === 'upgrade-rollback') ended.push(endOf(upgrade, 'old'));
  }
  // Of two with one number the first one stays in front: the end that all admins have stated.
  const image = decideImage(told.image, words, threshold);
  const known = isNamed ? [...ended, endOf(told.upgrade, image)] : ended;
  return known.toSorted((one, other) => other.upgrade.attempt - one.upgrade.attempt)[0];
}
