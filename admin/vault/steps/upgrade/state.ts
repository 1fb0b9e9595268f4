import type { Exchange } from '../../exchange/index.ts';
import { roleOfNode, type VaultDocument } from '../../index.ts';
import { findLastUpgrade, isSameUpgrade, type UpgradeName, upgradeOf } from '../../last-upgrade.ts';
import { StepError } from '../errors.ts';

export { isSameUpgrade, type UpgradeName, upgradeOf, type UpgradeStepName } from '../../last-upgrade.ts';

/** How far the upgrades of a vault are, by the statements alone. */
export interface UpgradeState {
  /** Release that the nodes run, as infrastructure has stated last; that of vault.yaml before the first upgrade. */
  readonly running: string;
  /** Upgrade that has not come to its end; `back`: it is being rolled back. */
  readonly open:
    | {
        readonly upgrade: UpgradeName;
        readonly direction: 'forward' | 'back';
        /**
         * Whether more than a few admins have named it: as many as the threshold, or infrastructure has begun. What fewer have named
         * keeps nobody from anything else, as the release may be one that nobody has.
         */
        readonly isShared: boolean;
        /** Nodes that were down when the others went back, and that a later run has to take along. */
        readonly left: readonly number[];
      }
    | undefined;
  /** The last that has come to its end: with every node on the new image, or on the old one again. */
  readonly closed:
    | {
        readonly upgrade: UpgradeName;
        readonly image: 'new' | 'old';
        /** As above: nodes that do not run yet what the others went back to. */
        readonly left: readonly number[];
      }
    | undefined;
}

/**
 * Finds how far the upgrades of a vault are: which release runs, and what is under way.
 *
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed
 */
export async function findUpgradeState(
  vault: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
): Promise<UpgradeState> {
  const { nodes, release } = vault;
  const moved = await findLastUpgrade(vault, exchange);
  const ofNodes = async (step: 'upgrade-configuration' | 'upgrade-narrow' | 'upgrade-rollback') => {
    const found = [];
    for (const { node } of nodes) {
      const stated = await exchange.statement(roleOfNode(node), step);
      found.push(stated && upgradeOf(stated));
    }
    return found;
  };
  if (moved !== undefined) {
    const { upgrade, image } = moved;
    const restored = await exchange.statement('infrastructure', 'upgrade-restore');
    // Keys decide which image runs: no end is one before each node's admin has told what theirs admits.
    const ends = await ofNodes(image === 'new' ? 'upgrade-narrow' : 'upgrade-rollback');
    const isClosed =
      ends.every((one) => isSameUpgrade(one, upgrade)) &&
      (image === 'new' || isSameUpgrade(restored && upgradeOf(restored), upgrade));
    const running = image === 'new' ? upgrade.to : upgrade.from;
    const reached = isClosed ? restored?.facts.nodes : moved.nodes;
    const left = image === 'new' ? [] : await findLeft(upgrade, reached ?? []);
    if (!isClosed)
      return {
        running,
        open: { upgrade, direction: image === 'new' ? 'forward' : 'back', isShared: true, left },
        closed: undefined,
      };
    return { running, ...(await findNext(upgrade.attempt, running)), closed: { upgrade, image, left } };
  }
  return { running: release.version, ...(await findNext(0, release.version)), closed: undefined };

  /** Nodes that did not reach what the others went back to, and that nobody has started since with their newest configuration. */
  async function findLeft(
    upgrade: UpgradeName,
    reached: readonly { readonly node: number }[],
  ): Promise<readonly number[]> {
    const restarted = await exchange.statement('infrastructure', 'restart');
    const left: number[] = [];
    for (const { node } of nodes) {
      if (reached.some((one) => one.node === node)) continue;
      const back = await exchange.statement(roleOfNode(node), 'upgrade-rollback');
      const isBack = back !== undefined && isSameUpgrade(upgradeOf(back), upgrade);
      const version = restarted?.facts.nodes.find((one) => one.node === node)?.version ?? 0;
      if (!isBack || version < back.facts.version) left.push(node);
    }
    return left;
  }

  async function findNext(last: number, running: string): Promise<Pick<UpgradeState, 'open'>> {
    // Nothing of an upgrade comes before the word of a node's admin, and one from another release than the nodes run is none.
    const named = (await ofNodes('upgrade-configuration')).flatMap((one) =>
      one?.attempt === last + 1 && one.from === running ? [one] : [],
    );
    const countOf = (upgrade: UpgradeName) => named.filter((one) => isSameUpgrade(one, upgrade)).length;
    // The upgrade that most admins have named: one of them alone does not say where the others go.
    const [begun] = named.toSorted((one, other) => countOf(other) - countOf(one));
    if (begun === undefined) return { open: undefined };
    const shown = await exchange.statement('infrastructure', 'upgrade-attestations');
    const isShared = countOf(begun) >= vault.threshold || isSameUpgrade(shown && upgradeOf(shown), begun);
    return { open: { upgrade: begun, direction: 'forward', isShared, left: [] } };
  }
}

/**
 * Names the upgrade that a run is about: the one that is under way, the one that has just ended, or the next.
 *
 * @param to version that nodes shall run; undefined: as the others have stated
 * @throws StepError VAULT_UPGRADE_ROLLING_BACK, VAULT_UPGRADE_NONE
 */
export function nameUpgrade({ running, open, closed }: UpgradeState, to: string | undefined): UpgradeName {
  if (open !== undefined) {
    const { upgrade, direction } = open;
    if (direction === 'forward') return to === undefined ? upgrade : { ...upgrade, to };
    throw new StepError('VAULT_UPGRADE_ROLLING_BACK', 'the upgrade is being rolled back', { ...upgrade });
  }
  if (closed?.image === 'new' && (to === undefined || to === running)) return closed.upgrade;
  if (to === undefined || to === running)
    throw new StepError('VAULT_UPGRADE_NONE', 'there is nothing to upgrade: the nodes run this release', {
      running,
      to: to ?? null,
    });
  return { from: running, to, attempt: (closed?.upgrade.attempt ?? 0) + 1 };
}

/**
 * Names the upgrade that is to be rolled back.
 *
 * @throws StepError VAULT_UPGRADE_NONE where none is under way; as {@link assertNoneNarrowed}
 */
export async function nameRollBack(
  vault: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
  { running, open, closed }: UpgradeState,
): Promise<UpgradeName> {
  const upgrade = open?.upgrade ?? (closed?.image === 'old' ? closed.upgrade : undefined);
  if (upgrade === undefined)
    throw new StepError('VAULT_UPGRADE_NONE', 'no upgrade is under way that could be rolled back', {
      running,
    });
  await assertNoneNarrowed(vault, exchange, upgrade);
  return upgrade;
}

/**
 * Asserts that no node's admin has told that their key admits the new image alone: from then on there is no way back.
 *
 * @throws StepError VAULT_UPGRADE_NARROWED; ExchangeError
 */
export async function assertNoneNarrowed(
  { nodes }: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
  upgrade: UpgradeName,
): Promise<void> {
  for (const { node } of nodes) {
    const narrowed = await exchange.statement(roleOfNode(node), 'upgrade-narrow');
    if (narrowed === undefined || !isSameUpgrade(upgradeOf(narrowed), upgrade)) continue;
    throw new StepError('VAULT_UPGRADE_NARROWED', "a node's key no longer admits the old image", {
      node,
      from: upgrade.from,
      to: upgrade.to,
      attempt: upgrade.attempt,
    });
  }
}
