import { UpgradeError } from './errors.ts';
import {
  moveAll,
  orderUnableFirst,
  type RollOutEvent,
  type RollOutPlan,
  startDown,
  stop,
  type UpgradeJournal,
  type UpgradePorts,
} from './node-moves.ts';
import { assertSpareNode, type NodeReport } from './quorum.ts';

/**
 * Puts the old image back on every node that does not run it, nodes that are down first. Possible within each node's overlap
 * alone; after a day nodes that run the old image refuse each other, and where all of them do there is nothing to put back.
 * A node that was down and stays so is left and reported, where the threshold of others come to run the old image. One that is
 * up, and whose admin has to do something first, is left, too, but then the roll back is not over.
 *
 * @returns nodes that were left though they are up, with what has kept them so
 * @throws as {@link moveAll}; UPGRADE_NO_SPARE_NODE, UPGRADE_UNFINISHED
 */
export async function rollBack(
  plan: RollOutPlan,
  ports: UpgradePorts,
  journal: UpgradeJournal,
  report: (event: RollOutEvent) => void = () => {},
): Promise<ReadonlyMap<number, unknown>> {
  const { order, threshold, until } = plan;
  assertSpareNode({ size: order.length, threshold });
  const isAnyOver = order.some((node) => ports.clock() >= until(node));
  if (!isAnyOver || !isBack(await ports.look(), threshold)) {
    const run = { plan, ports, journal, report };
    const reversed = order.toReversed();
    const left = await startDown(reversed, run);
    const [first] = left;
    const up = (await ports.look()).filter((each) => each.image !== null);
    if (first !== undefined && up.length < threshold)
      throw await stop(run, { node: first[0], image: 'old' }, first[1]);
    const nodes = reversed.filter((node) => !left.has(node));
    const held = await moveAll('old', orderUnableFirst(nodes, await ports.look()), run);
    if (held.size > 0) return held;
    assertBack(await ports.look(), threshold);
  }
  await journal.setStopped(null);
  return new Map();
}

/**
 * Asserts that the quorum runs the old image again, so that the new one may lose its admission: the threshold of nodes attest
 * the old one, and none attests the new one. A node that does not answer keeps nobody from the way back.
 *
 * @throws UpgradeError UPGRADE_UNFINISHED
 */
export function assertBack(reports: readonly NodeReport[], threshold: number): void {
  if (isBack(reports, threshold)) return;
  const others = reports
    .filter(({ image }) => image !== 'old')
    .map(({ node, image, code }) => ({ node, image, code }));
  throw new UpgradeError('UPGRADE_UNFINISHED', 'the quorum does not run the old image again', {
    threshold,
    others,
  });
}

function isBack(reports: readonly NodeReport[], threshold: number): boolean {
  const count = reports.filter(({ image }) => image === 'old').length;
  return count >= threshold && reports.every(({ image }) => image !== 'new');
}
