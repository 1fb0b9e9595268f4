import { UpgradeError } from './errors.ts';
import type { ImageName } from './images.ts';
import {
  moveAll,
  orderUnableFirst,
  type RollOutEvent,
  type RollOutPlan,
  startDown,
  type UpgradeJournal,
  type UpgradePorts,
} from './node-moves.ts';
import { assertQuorumSigns, assertSpareNode, type NodeReport } from './quorum.ts';

/** Order of nodes with the canary first. @throws RangeError for a canary that is none of them */
export function orderNodes(nodes: readonly number[], canary: number): readonly number[] {
  if (!nodes.includes(canary)) throw new RangeError(`the quorum has no node ${canary}`);
  return [canary, ...nodes.filter((node) => node !== canary)];
}

/**
 * Brings the new image to every node, one after the other: each next one only when the former serves with it and the quorum
 * has signed with it. Where too few others can sign for the canary to be taken down, nodes that are down are given the old
 * image first. After the canary come nodes that cannot sign, since the others can be taken down only when they are
 * back. Nodes that run it already are seen to, and left alone, so that a run that was cut off is taken up by the next. At the
 * first refusal it stops, and so does every later run until somebody has decided what to do. A node whose admin has to do
 * something first is left, and the others go on, the next one as the canary in its place.
 *
 * @returns nodes that were left, with what has kept them so: the roll-out is not over
 * @throws UpgradeError UPGRADE_STOPPED, UPGRADE_NO_SPARE_NODE, UPGRADE_OVERLAP_EXPIRED, UPGRADE_QUORUM_AT_RISK,
 *   UPGRADE_NODE_…, UPGRADE_QUORUM_NOT_SIGNING
 */
export async function rollOut(
  plan: RollOutPlan,
  ports: UpgradePorts,
  journal: UpgradeJournal,
  report: (event: RollOutEvent) => void = () => {},
): Promise<ReadonlyMap<number, unknown>> {
  assertNotStopped(journal);
  assertSpareNode({ size: plan.order.length, threshold: plan.threshold });
  const reports = await ports.look();
  const [canary, ...others] = plan.order;
  if (canary === undefined) throw new TypeError('expected a node that goes first');
  if (reports.every(({ image }) => image !== 'new')) {
    const { order } = plan;
    // The canary, which is touched first, is asked only where no other node can sign.
    const lastFirst = reports.toSorted((a, b) => order.indexOf(b.node) - order.indexOf(a.node));
    await assertQuorumSigns(lastFirst, ports.sign);
  }
  const run = { plan, ports, journal, report };
  // Without enough others the canary cannot be taken down: those that are down are given what the quorum runs.
  const spare = reports.filter(({ node, canSign }) => node !== canary && canSign);
  if (reports.every(({ image }) => image !== 'new') && spare.length < plan.threshold)
    await startDown(others, run);
  const first = await moveAll('new', [canary], run);
  return new Map([...first, ...(await moveAll('new', orderUnableFirst(others, await ports.look()), run))]);
}

/** Asserts that no earlier run has stopped. @throws UpgradeError UPGRADE_STOPPED */
export function assertNotStopped(journal: Pick<UpgradeJournal, 'stopped'>): void {
  const stop = journal.stopped();
  if (stop === null) return;
  throw new UpgradeError(
    'UPGRADE_STOPPED',
    'the upgrade has stopped: roll back, or resume when the cause is mended',
    { node: stop.node, reason: stop.code, at: stop.at },
  );
}

/**
 * Asserts that every node runs one image, so that the other one may lose its admission.
 *
 * @throws UpgradeError UPGRADE_UNFINISHED
 */
export function assertAllRun(image: ImageName, reports: readonly NodeReport[]): void {
  const others = reports
    .filter((report) => report.image !== image)
    .map(({ node, image: actual, code }) => ({ node, image: actual, code }));
  if (others.length === 0) return;
  throw new UpgradeError('UPGRADE_UNFINISHED', `not every node runs the ${image} image`, { others });
}
