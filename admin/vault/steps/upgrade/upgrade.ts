import { parsePcrFile } from '../../../../attestation/index.ts';
import type { ImageName, RollOutEvent, UpgradeImages } from '../../../upgrade/index.ts';
import type { Statement } from '../../exchange/index.ts';
import { type Role, roleOfNode } from '../../index.ts';
import type { ReleaseFiles, StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { assertRebuilt, describeRelease } from '../node-release.ts';
import { needStatement } from '../support.ts';
import { isSameUpgrade, type UpgradeName, upgradeOf, type UpgradeStepName } from './state.ts';

/** From which release a vault goes to which, and what a role's run needs for that. */
export interface Upgrade extends UpgradeName {
  /** Opens either release, fetched and verified. */
  readonly release: (version: string) => Promise<ReleaseFiles>;
  /** Day until which the old image stays admitted, in milliseconds since 1970; undefined: as was stated before. */
  readonly until: number | undefined;
  /** Whether the admin has rebuilt the image and found the same measurements. */
  readonly isRebuilt: boolean;
  /** Node that goes first. */
  readonly canary: number;
  /** What a client of the vault sees, and does; undefined for admins of nodes. */
  readonly client: UpgradeClient | undefined;
  /** Is told of each node that is begun and done. */
  readonly report: (event: RollOutEvent) => void;
}

/** Node as a client of the vault reaches it. */
export interface UpgradeNode {
  readonly node: number;
  readonly url: string;
  readonly manifest: Uint8Array;
  /** Images that it may attest. */
  readonly images: UpgradeImages;
}

/** Client of the vault, by which a roll-out sees whether the quorum signs. */
export interface UpgradeClient {
  /** Code of what keeps a node from signing, or null: it has its share, and is connected to enough of its peers. */
  readonly look: (node: UpgradeNode) => Promise<string | null>;
  /** Has the quorum sign with this node in it. @returns null, or the code of the refusal */
  readonly sign: (node: UpgradeNode) => Promise<string | null>;
}

/**
 * Decides which statements count: those of the first ceremony, and those about this upgrade.
 *
 * @param image with which the nodes have to have been left
 */
export function countsFor(upgrade: UpgradeName, image: ImageName): (statement: Statement) => boolean {
  return (statement) => {
    const about = upgradeOf(statement);
    if (about === undefined) return true;
    const isOther = 'image' in statement.facts && statement.facts.image !== image;
    return isSameUpgrade(about, upgrade) && !isOther;
  };
}

/** Reads a statement about this upgrade; one about another does not count. @throws ExchangeError STATEMENT_… */
export async function findUpgradeStatement<Name extends UpgradeStepName>(
  { exchange }: Pick<StepContext, 'exchange'>,
  upgrade: UpgradeName,
  role: Role,
  step: Name,
): Promise<Statement<Name> | undefined> {
  const found = await exchange.statement(role, step);
  return found !== undefined && isSameUpgrade(upgradeOf(found), upgrade) ? found : undefined;
}

/** Reads a statement about this upgrade that has to be there. @throws StepError VAULT_RELEASE_DIFFERS; ExchangeError */
export async function needUpgradeStatement<Name extends UpgradeStepName>(
  context: Pick<StepContext, 'exchange'>,
  upgrade: UpgradeName,
  role: Role,
  step: Name,
): Promise<Statement<Name>> {
  const found = await needStatement(context as StepContext, role, step);
  if (isSameUpgrade(upgradeOf(found), upgrade)) return found;
  throw new StepError('VAULT_RELEASE_DIFFERS', 'the statement is about another upgrade', {
    step: `${role}/${step}`,
    expected: factsOf(upgrade),
    actual: upgradeOf(found),
  });
}

/** Names an upgrade as its statements do. */
export function factsOf({ from, to, attempt }: UpgradeName): UpgradeName {
  return { from, to, attempt };
}

/** The same context, in which the release at hand is the old or the new one. */
export function withRelease(context: StepContext, upgrade: Upgrade, image: 'old' | 'new'): StepContext {
  return { ...context, release: () => upgrade.release(image === 'old' ? upgrade.from : upgrade.to) };
}

/** Reads the measurements of both images. */
export async function readImages(upgrade: Upgrade): Promise<UpgradeImages> {
  const [old, next] = [await upgrade.release(upgrade.from), await upgrade.release(upgrade.to)];
  return { old: parsePcrFile(old.pcrJson), new: parsePcrFile(next.pcrJson) };
}

/** Reads the end of the overlap that a node's admin has stated, in milliseconds since 1970. */
export async function readUntil(context: StepContext, upgrade: Upgrade, node: number): Promise<number> {
  const { facts } = await needUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-configuration');
  return Date.parse(facts.until);
}

/**
 * Asserts that nodes' admins who have named this upgrade vouch for both releases at hand. One that comes from another
 * release than the nodes run is not this one: its admin is waited for.
 *
 * @param nodes numbers of those whose admins are asked; all when left out
 * @throws StepError VAULT_RELEASE_DIFFERS, VAULT_REBUILD_MISSING
 */
export async function assertOneUpgrade(
  context: StepContext,
  upgrade: Upgrade,
  nodes: readonly number[] = context.vault.nodes.map(({ node }) => node),
): Promise<void> {
  const own = await describeReleases(context, upgrade);
  for (const node of nodes) {
    const role = roleOfNode(node);
    const stated = await context.exchange.statement(role, 'upgrade-configuration');
    if (stated?.facts.upgrade.attempt !== upgrade.attempt || stated.facts.upgrade.from !== upgrade.from)
      continue;
    const isSame = isSameUpgrade(stated.facts.upgrade, upgrade);
    // Who has named another release by mistake takes that back by naming the right one.
    if (!isSame && role === context.role) continue;
    if (isSame) assertRebuilt(context, node, stated.facts.rebuilt);
    const actual = { old: stated.facts.old, new: stated.facts.new };
    if (isSame && JSON.stringify(actual) === JSON.stringify(own)) continue;
    throw new StepError('VAULT_RELEASE_DIFFERS', 'the admin of a node vouches for another release', {
      node,
      expected: { ...factsOf(upgrade), ...own },
      actual: { ...factsOf(stated.facts.upgrade), ...actual },
    });
  }
}

/**
 * Asserts that a node's admin has not taken the new image out of their key again in this very upgrade: from then on it is let in
 * by another attempt alone, whatever infrastructure tells.
 *
 * @throws StepError VAULT_UPGRADE_ROLLING_BACK
 */
export async function assertNotRolledBack(
  context: Pick<StepContext, 'exchange'>,
  upgrade: Upgrade,
  node: number,
): Promise<void> {
  const stated = await findUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-rollback');
  if (stated === undefined) return;
  throw new StepError('VAULT_UPGRADE_ROLLING_BACK', "the node's admin has rolled this upgrade back", {
    node,
    ...factsOf(upgrade),
  });
}

/** Says which images these are, for whoever compares them with what they have built or others read to them. */
export async function describeImages(context: StepContext, upgrade: Upgrade): Promise<readonly string[]> {
  const { old, new: next } = await describeReleases(context, upgrade);
  return [old, next].map(({ version, pcrs }) => `  release ${version}, PCR0 ${pcrs['0'] ?? 'of zeros'}`);
}

/** Describes both releases, as statements do. */
export async function describeReleases(context: StepContext, upgrade: Upgrade) {
  return {
    old: await describeRelease(withRelease(context, upgrade, 'old')),
    new: await describeRelease(withRelease(context, upgrade, 'new')),
  };
}
