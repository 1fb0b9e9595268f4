import { HoldfastError } from '../../../../shared/errors.ts';
import { parsePcrFile } from '../../../../attestation/index.ts';
import {
  assertQuorumSigns,
  assertQuorumWithout,
  assertSigns,
  isInterruption,
  type NodeReport,
  orderUnableFirst,
  UpgradeError,
} from '../../../upgrade/index.ts';
import type { Facts } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import { findLastStart } from '../../node-starts.ts';
import type { StepContext } from '../context.ts';
import { deployNode } from '../deploy-node.ts';
import { StepError } from '../errors.ts';
import type { Awaited as AwaitedStep, Step } from '../step.ts';
import { describeNode, needStatement, urlOfNode } from '../support.ts';
import { readIdentity } from '../upgrade/nodes.ts';
import type { UpgradeClient, UpgradeNode } from '../upgrade/upgrade.ts';
import { findLeaps, newestChange, readChanges } from './change.ts';
import {
  describeLeft,
  findObstacle,
  findReleases,
  type LeftNode,
  nodesLeft,
  type SeenNode,
  seeNode,
} from './in-force.ts';
import { needNewest, type StatedConfiguration } from './newest.ts';

const STEP = 'change-restart';

/** What infrastructure's run has of a quorum beside the attestation of its nodes. */
export interface RestartChange {
  /** Client of the vault by which the run sees whether the quorum signs; undefined: by attestation alone. */
  readonly client: UpgradeClient | undefined;
}

/** Node that does not run yet what its admin has stated. */
interface OpenNode {
  readonly node: number;
  /** Release whose image it keeps. */
  readonly release: string;
  readonly newest: StatedConfiguration;
}

/**
 * Step that starts nodes anew with the configurations that their admins have signed since the ceremony, one after the other,
 * and with the image that each of them runs. Who has signed need not wait for the others: each node decides by its own rules.
 */
export function infrastructureChangeRestart(
  vault: StepContext['vault'],
  { client }: RestartChange,
): Step<typeof STEP> {
  return {
    id: `infrastructure/${STEP}`,
    role: 'infrastructure',
    name: STEP,
    stage: 2,
    summary: 'restart the nodes, one after the other, with the configurations that their admins have signed',
    needs: ['infrastructure/restart'],
    async inspect(context) {
      const { open, held } = await findOpen(context);
      if (open.length > 0) {
        const hasSpare = vault.nodes.length > vault.threshold;
        return {
          state: 'ready',
          changes: [
            ...open.map(
              ({ node, newest }) =>
                `restarts node ${node} with configuration ${newest.version}, SHA-384 ${newest.digest}`,
            ),
            ...held.map(describeLeft),
            ...(hasSpare ? [] : ['the quorum has no node to spare, and signs nothing while one restarts']),
          ],
        };
      }
      const [first] = held;
      if (first !== undefined) throw first.error;
      const waitsFor = await findAwaited(context);
      return waitsFor.length === 0 ? { state: 'done' } : { state: 'waiting', waitsFor };
    },
    async apply(context) {
      const { open, held, releases } = await findOpen(context);
      const known = await readVersions(context);
      const nodes = new Map<number, Facts<typeof STEP>['nodes'][number]>();
      for (const { node } of vault.nodes) {
        const last = await findLastStart(context.exchange, node);
        if (last !== undefined) nodes.set(node, { ...last, version: known.get(node) ?? 1 });
      }
      const look = async () => await lookAt(context, client, releases);
      if (open.length > 0 && client !== undefined)
        await assertQuorumSigns(
          await look(),
          async (node) => await client.sign(await describe(context, node, releases)),
        );
      const left: LeftNode[] = [...held];
      const order = orderUnableFirst(
        open.map(({ node }) => node),
        open.length === 0 ? [] : await look(),
      );
      const sorted = open.toSorted((one, other) => order.indexOf(one.node) - order.indexOf(other.node));
      let count = 0;
      for (const one of sorted) {
        context.progress(`node ${one.node} restarts with configuration ${one.newest.version}`, 0, 1);
        const reports = await look();
        const isAble = reports.some(({ node, canSign }) => node === one.node && canSign);
        let identity: Awaited<ReturnType<typeof restart>>;
        try {
          if (isAble && vault.nodes.length > vault.threshold)
            assertQuorumWithout(reports, one.node, vault.threshold);
          identity = await restart(context, one);
        } catch (error) {
          // A node that could sign, and no longer does, ends the run. One that was down, or cannot be spared, is left.
          const isTouched = isAble && !(error instanceof UpgradeError);
          if (isTouched || !(error instanceof HoldfastError) || isInterruption(error)) throw error;
          left.push({ node: one.node, error });
          continue;
        }
        count += 1;
        if (client !== undefined)
          await assertSigns(
            one.node,
            'old',
            async (node) => await client.sign(await describe(context, node, releases)),
          );
        nodes.set(one.node, {
          node: one.node,
          url: await urlOfNode(context, one.node),
          identity: identity ?? (await readIdentity(context, one.node)),
          version: one.newest.version,
        });
      }
      const [firstLeft] = left.filter((one) => !held.includes(one));
      if (count === 0 && firstLeft !== undefined) throw firstLeft.error;
      const refusal = left.length === 0 ? undefined : nodesLeft(left);
      return { facts: { nodes: [...nodes.values()] }, files: [], refusal };
    },
  };
}

/**
 * Finds nodes that run an older configuration than their admins have stated. One that does not attest counts where it was not
 * said yet that it runs the newest; in an upgrade, whose run brings that with the image, it is left to it. One that runs what its
 * admin has not stated, or has taken back, is held: the others go on.
 */
async function findOpen(context: StepContext) {
  const { vault } = context;
  const releases = await findReleases(context);
  const [running = ''] = releases;
  const seen = await Promise.all(vault.nodes.map(async ({ node }) => await seeNode(context, node, releases)));
  const known = await readVersions(context);
  const open: OpenNode[] = [];
  const held: LeftNode[] = [];
  for (const one of seen) {
    const error = await findObstacle(context, one);
    if (error !== null) {
      held.push({ node: one.node, error });
      continue;
    }
    const newest = await needNewest(context, one.node);
    // The configuration of an upgrade comes with its images.
    if (newest.step === 'upgrade-configuration' || newest.step === 'upgrade-rollback') continue;
    const version = one.release === null ? (known.get(one.node) ?? 0) : one.version;
    if (version >= newest.version || (one.release === null && releases.length > 1)) continue;
    open.push({ node: one.node, release: one.release ?? running, newest });
  }
  return { open, held, releases };
}

/** Versions with which infrastructure has said that nodes run. */
async function readVersions(context: StepContext): Promise<ReadonlyMap<number, number>> {
  const restarted = await needStatement(context, 'infrastructure', 'restart');
  const changed = await context.exchange.statement('infrastructure', STEP);
  const versions = new Map<number, number>();
  for (const { node, version } of [...restarted.facts.nodes, ...(changed?.facts.nodes ?? [])])
    versions.set(node, Math.max(version, versions.get(node) ?? 0));
  return versions;
}

/** Admins who have not taken part yet in the newest change, or all of them before the first one. */
async function findAwaited({ vault, exchange }: StepContext): Promise<readonly AwaitedStep[]> {
  const changes = await readChanges(vault, exchange, () => false);
  const [newest, leaps] = [newestChange(changes, vault.threshold), findLeaps(changes, vault.threshold)];
  if ([...changes.values()].some((one) => one !== undefined) && newest === 0) return [];
  return vault.nodes
    .filter(
      ({ node }) => newest === 0 || leaps.includes(node) || (changes.get(node)?.facts.change ?? 0) < newest,
    )
    .map(({ node }) => ({ role: roleOfNode(node), step: `${roleOfNode(node)}/change-configuration` }));
}

async function lookAt(
  context: StepContext,
  client: UpgradeClient | undefined,
  releases: readonly string[],
): Promise<readonly NodeReport[]> {
  return await Promise.all(
    context.vault.nodes.map(async ({ node }): Promise<NodeReport> => {
      const seen = await seeNode(context, node, releases);
      if (seen.release === null) return { node, image: null, canSign: false, code: seen.code };
      const code = client === undefined ? null : await client.look(await describe(context, node, releases));
      return { node, image: 'old', canSign: code === null, code };
    }),
  );
}

/** Describes a node to a client, with the images that it may attest. */
async function describe(
  context: StepContext,
  node: number,
  releases: readonly string[],
): Promise<UpgradeNode> {
  const [first = '', last = first] = [releases[0], releases.at(-1)];
  const pcrsOf = async (version: string) => parsePcrFile((await context.release(version)).pcrJson);
  const images = { old: await pcrsOf(first), new: await pcrsOf(last) };
  return { ...(await describeNode(context, node)), images };
}

/** Restarts one node, and sees that it attests the configuration. @throws StepError VAULT_NODE_UNEXPECTED */
async function restart(context: StepContext, { node, release, newest }: OpenNode) {
  const identity = await readIdentity(context, node);
  const order = { node, configuration: newest.step, nonce: null, identity } as const;
  const { phase, code, ...deployed } = await deployNode(order, {
    ...context,
    release: async () => await context.release(release),
  });
  const seen: SeenNode | undefined =
    phase === 'serving' ? await seeNode(context, node, [release]) : undefined;
  if (seen?.release === release && seen.version === newest.version) return deployed.identity;
  throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that serves with its new configuration', {
    node,
    phase,
    code: code ?? (seen?.release === null ? seen.code : null),
    expected: newest.version,
    actual: seen === undefined || seen.release === null ? null : seen.version,
  });
}
