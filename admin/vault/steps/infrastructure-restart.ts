import { errorCode } from '../../../shared/errors.ts';
import { parsePcrFile } from '../../../attestation/index.ts';
import { verifierKeyName } from '../../../shared/documents/configuration/witnesses.ts';
import { assertQuorumWithout, type NodeReport } from '../../upgrade/index.ts';
import { findLastStart } from '../node-starts.ts';
import { type ConfigurationInForce, findConfigurationInForce } from './configuration-in-force.ts';
import { roleOfNode } from '../index.ts';
import { type LeftNode, nodesLeft } from './configuration/in-force.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { serve } from './infrastructure-start.ts';
import { assertOneRelease } from './node-release.ts';
import type { Step } from './step.ts';
import { describeNode, needStatement, needStatementsOfNodes, ofAllNodes, urlOfNode } from './support.ts';
import { findUpgradeState, type UpgradeState } from './upgrade/state.ts';

/** Node that has to be started anew, and why. */
interface OpenNode {
  readonly node: number;
  readonly configuration: ConfigurationInForce;
  readonly reason: 'other-configuration' | 'host-moved' | 'left' | 'peer-moved';
}

const REASONS = {
  'other-configuration': '',
  'host-moved': ', whose host is another one',
  left: ', which was down when the others were put back',
  'peer-moved': ', whose peer is on another host',
} as const satisfies Record<OpenNode['reason'], string>;

/**
 * Step that starts the nodes with the configurations in which the order to initialise is gone. Later it starts with the
 * release that runs what is not as it was told: a node on another host, the peers that have to know where that is, and a node
 * that was left by a roll back.
 */
export function infrastructureRestart(vault: StepContext['vault']): Step<'restart'> {
  return {
    id: 'infrastructure/restart',
    role: 'infrastructure',
    name: 'restart',
    stage: 2,
    summary: 'restart the nodes with their final configurations',
    needs: [
      // All nodes know a log before it asks them for a cosignature.
      vault.parts.peerWitnesses === null ? 'infrastructure/start' : 'infrastructure/peers-restart',
      ...ofAllNodes(vault, 'narrow'),
      ...ofAllNodes(vault, 'final-configuration'),
    ],
    async inspect(context) {
      const open = await openNodes(context, await findUpgradeState(vault, context.exchange));
      if (open.length === 0) return { state: 'done' };
      return {
        state: 'ready',
        changes: [
          ...(open.some(({ reason }) => reason === 'other-configuration')
            ? await describeFollowedLogs(context)
            : []),
          ...open.map(
            ({ node, configuration: { version }, reason }) =>
              `restarts node ${node}${REASONS[reason]} with configuration ${version}`,
          ),
        ],
      };
    },
    async apply(given) {
      const state = await findUpgradeState(vault, given.exchange);
      const context = { ...given, release: async () => await given.release(state.running) };
      const stated = await given.exchange.statement('infrastructure', 'restart');
      const open = await openNodes(context, state);
      // After an upgrade, KMS admits nothing but what the admins have vouched for in it. Before the nodes have run, all have to agree;
      // later each admin's word is about their own node.
      if (state.closed === undefined && stated === undefined) await assertOneRelease(given);
      const left = state.closed === undefined ? await findOther(given, open) : [];
      const [first] = left;
      if (first !== undefined && left.length === open.length) throw first.error;
      const free = open.filter(({ node }) => !left.some((one) => one.node === node));
      const nodes = [...(stated?.facts.nodes ?? [])].filter(
        ({ node }) => !free.some((one) => one.node === node),
      );
      // One after the other: the rest of the quorum goes on signing, and cosigns the start of each.
      for (const { node, configuration } of free) {
        if (stated !== undefined) await assertSpared(context, node);
        const former = await findFormer(context, node);
        const order = { node, configuration: configuration.step, nonce: null, identity: former };
        nodes.push({
          node,
          url: await urlOfNode(context, node),
          identity: await serve(order, context),
          version: configuration.version,
        });
      }
      const refusal = left.length === 0 ? undefined : nodesLeft(left);
      return { facts: { nodes: nodes.toSorted((one, other) => one.node - other.node) }, files: [], refusal };
    },
  };
}

/** Nodes whose admins vouch for another release than the one at hand: they are left, and the others go on. */
async function findOther(context: StepContext, open: readonly OpenNode[]): Promise<readonly LeftNode[]> {
  const left: LeftNode[] = [];
  for (const { node } of open)
    try {
      await assertOneRelease(context, [node]);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      left.push({ node, error });
    }
  return left;
}

/** Nodes that do not run what they are to run, as far as was told, those that cannot serve first. */
async function openNodes(context: StepContext, state: UpgradeState): Promise<readonly OpenNode[]> {
  const { exchange, vault } = context;
  const stated = await exchange.statement('infrastructure', 'restart');
  const found: OpenNode[] = [];
  const others: OpenNode[] = [];
  for (const { node } of vault.nodes) {
    const configuration = await findConfigurationInForce(context, node, state);
    const version = stated?.facts.nodes.find((one) => one.node === node)?.version;
    const last = await findLastStart(exchange, node);
    const isLeft = state.closed?.left.includes(node) === true;
    // A change of rules is brought by its own ceremony, and its version is above the final one.
    const { facts: final } = await needStatement(context, roleOfNode(node), 'final-configuration');
    if (state.closed === undefined && (version ?? 0) < final.version)
      found.push({ node, configuration, reason: 'other-configuration' });
    else if (last !== undefined && last.url !== (await urlOfNode(context, node)))
      found.push({ node, configuration, reason: 'host-moved' });
    else if (isLeft) found.push({ node, configuration, reason: 'left' });
    else others.push({ node, configuration, reason: 'peer-moved' });
  }
  return found.some(({ reason }) => reason === 'host-moved') ? [...found, ...others] : found;
}

/** Least that a node's store must be: as was told last, and before the first restart as at the start. */
async function findFormer({ exchange }: StepContext, node: number) {
  const last = await findLastStart(exchange, node);
  if (last !== undefined) return last.identity;
  for (const step of ['peers-restart', 'start'] as const) {
    const stated = await exchange.statement('infrastructure', step);
    const found = stated?.facts.nodes.find((one) => one.node === node);
    if (found !== undefined) return found.identity;
  }
  return null;
}

/**
 * Asserts that the threshold of other nodes serve before one that serves is restarted.
 *
 * @throws UpgradeError UPGRADE_QUORUM_AT_RISK
 */
async function assertSpared(context: StepContext, node: number): Promise<void> {
  const pcrs = parsePcrFile((await context.release()).pcrJson);
  const reports = await Promise.all(
    context.vault.nodes.map(async (one): Promise<NodeReport> => {
      const { url, manifest } = await describeNode(context, one.node);
      const code = await context.attest(url, { manifest, pcrs }).then(() => null, errorCode);
      return { node: one.node, canSign: code === null, image: null, code };
    }),
  );
  if (reports.some((each) => each.node === node && each.canSign))
    assertQuorumWithout(reports, node, context.vault.threshold);
}

/**
 * Describes what the operators of outside witnesses have to be told before nodes need their cosignatures: a start waits for
 * them. The lines are those of the file that "holdfast audit witness" follows logs by.
 */
async function describeFollowedLogs(context: StepContext): Promise<readonly string[]> {
  const { witnesses } = context.vault.parts;
  if (witnesses === null) return [];
  const stated = await needStatementsOfNodes(context, 'narrow');
  const logs = stated.map(({ statement }) => statement.facts.log);
  return [
    `before that, the operators of ${witnesses.threshold} of ${witnesses.servers.length} outside witnesses have to follow these logs (logs.yaml):`,
    '  logs:',
    ...logs.flatMap((key) => [`    - origin: ${verifierKeyName(key)}`, `      keys: ['${key}']`]),
  ];
}
