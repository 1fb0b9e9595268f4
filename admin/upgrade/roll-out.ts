import { errorCode } from '../../shared/errors.ts';
import { UpgradeError } from './errors.ts';
import type { ImageName } from './images.ts';
import { assertWithinOverlap } from './overlap.ts';
import {
  assertQuorumSigns,
  assertQuorumWithout,
  assertSigns,
  assertSpareNode,
  type NodeReport,
} from './quorum.ts';

/** What a roll-out does to nodes, and sees of them. */
export interface UpgradePorts {
  /** Looks at every node of the quorum, as a client that trusts both images. */
  readonly look: () => Promise<readonly NodeReport[]>;
  /**
   * Has a node's host replace the image, and waits until the node serves or fails. Done again, it changes nothing.
   *
   * @returns null where it serves, and its code where it does not
   */
  readonly deploy: (node: number, image: ImageName) => Promise<string | null>;
  /**
   * Has the quorum sign, coordinated by this node.
   *
   * @returns null where it has signed, and the code of the refusal where it has not
   */
  readonly sign: (node: number) => Promise<string | null>;
  /** Asserts, before each node, that all nodes may still be brought to the image; left out: nothing can have closed that way. */
  readonly assertOpen?: (image: ImageName) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Where a run has stopped. */
export interface UpgradeStop {
  readonly node: number;
  readonly image: ImageName;
  /** Code of the refusal at which nothing more was touched. */
  readonly code: string;
  readonly at: string;
}

/** What of an upgrade must survive a crash. */
export interface UpgradeJournal {
  readonly stopped: () => UpgradeStop | null;
  /** Resolves when it is on the disk. */
  readonly setStopped: (stop: UpgradeStop | null) => Promise<void>;
}

/** What a roll-out or a roll back goes by: the order of nodes, and how long both images are admitted. */
export interface RollOutPlan {
  /** Number of nodes that sign together. */
  readonly threshold: number;
  /** Numbers of all nodes; the canary is the first one. */
  readonly order: readonly number[];
  /** End of a node's overlap, in milliseconds since 1970: each node's admin names their own. */
  readonly until: (node: number) => number;
}

/** What a run says while it goes on. */
export type RollOutEvent =
  | { readonly event: 'node-begun'; readonly node: number; readonly image: ImageName }
  | { readonly event: 'node-done'; readonly node: number; readonly image: ImageName };

/** Codes that say nothing of a node: the run itself has come to an end, and the next one takes it up. */
const INTERRUPTIONS: readonly string[] = [
  'AWS_CREDENTIALS',
  'AWS_CREDENTIALS_EXPIRED',
  'AWS_UNREACHABLE',
  'INTERRUPTED',
];

/** Order of nodes with the canary first. @throws RangeError for a canary that is none of them */
export function orderNodes(nodes: readonly number[], canary: number): readonly number[] {
  if (!nodes.includes(canary)) throw new RangeError(`the quorum has no node ${canary}`);
  return [canary, ...nodes.filter((node) => node !== canary)];
}

/**
 * Brings the new image to every node, one after the other: each next one only when the former serves with it and the quorum
 * has signed with it. Nodes that run it already are seen to, and left alone, so that a run that was cut off is taken up by
 * the next. At the first refusal it stops, and so does every later run until somebody has decided what to do.
 *
 * @throws UpgradeError UPGRADE_STOPPED, UPGRADE_NO_SPARE_NODE, UPGRADE_OVERLAP_EXPIRED, UPGRADE_QUORUM_AT_RISK,
 *   UPGRADE_NODE_…, UPGRADE_QUORUM_NOT_SIGNING
 */
export async function rollOut(
  plan: RollOutPlan,
  ports: UpgradePorts,
  journal: UpgradeJournal,
  report: (event: RollOutEvent) => void = () => {},
): Promise<void> {
  assertNotStopped(journal);
  const reports = await ports.look();
  if (reports.every(({ image }) => image !== 'new')) {
    const { order } = plan;
    // The canary, which is touched first, is asked only where no other node can sign.
    const lastFirst = reports.toSorted((a, b) => order.indexOf(b.node) - order.indexOf(a.node));
    await assertQuorumSigns(lastFirst, ports.sign);
  }
  await moveAll('new', plan, ports, journal, report);
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
 * Puts the old image back on every node that does not run it, nodes that are down first. Possible within each node's overlap
 * alone; after a day nodes that run the old image refuse each other, and where all of them do there is nothing to put back.
 *
 * @throws as {@link rollOut}, but for UPGRADE_STOPPED
 */
export async function rollBack(
  plan: RollOutPlan,
  ports: UpgradePorts,
  journal: UpgradeJournal,
  report: (event: RollOutEvent) => void = () => {},
): Promise<void> {
  const reports = await ports.look();
  const isBack = reports.every(({ image }) => image === 'old');
  if (isBack && plan.order.some((node) => ports.clock() >= plan.until(node))) {
    await journal.setStopped(null);
    return;
  }
  const isDown = (node: number) => reports.find((each) => each.node === node)?.canSign !== true;
  const reversed = plan.order.toReversed();
  const order = [...reversed.filter(isDown), ...reversed.filter((node) => !isDown(node))];
  await moveAll('old', { ...plan, order }, ports, journal, report);
  await journal.setStopped(null);
}

async function moveAll(
  image: ImageName,
  plan: RollOutPlan,
  ports: UpgradePorts,
  journal: UpgradeJournal,
  report: (event: RollOutEvent) => void,
): Promise<void> {
  const { order, threshold } = plan;
  assertSpareNode({ size: order.length, threshold });
  for (const node of order) {
    await ports.assertOpen?.(image);
    const reports = await ports.look();
    const own = reports.find((each) => each.node === node);
    const isThere = own?.canSign === true && own.image === image;
    if (!isThere) {
      // Nothing is touched yet: a refusal here is no stop.
      assertMayMove(node, image, { plan, reports, now: ports.clock() });
      report({ event: 'node-begun', node, image });
    }
    try {
      // A run that was cut off may have left a node with which nobody has signed yet.
      await (isThere ? assertSigns(node, image, ports.sign) : moveNode(node, image, ports));
    } catch (error) {
      if (INTERRUPTIONS.includes(errorCode(error))) throw error;
      const reason = error instanceof UpgradeError ? error.details['reason'] : undefined;
      const code = typeof reason === 'string' ? reason : errorCode(error);
      await journal.setStopped({ node, image, code, at: new Date(ports.clock()).toISOString() });
      throw error;
    }
    if (!isThere) report({ event: 'node-done', node, image });
  }
}

/**
 * Asserts that a node may be taken down for an image. One that cannot sign has nothing to lose; and once its day is over, the
 * new image is all that KMS admits, so that waiting makes nothing better, unless no node has shown yet that it serves.
 *
 * @throws UpgradeError UPGRADE_OVERLAP_EXPIRED, UPGRADE_QUORUM_AT_RISK
 */
function assertMayMove(
  node: number,
  image: ImageName,
  {
    plan: { threshold, until },
    reports,
    now,
  }: { readonly plan: RollOutPlan; readonly reports: readonly NodeReport[]; readonly now: number },
): void {
  const day = until(node);
  const isLost = reports.find((each) => each.node === node)?.canSign !== true;
  const isNewAlone = image === 'new' && now >= day;
  const isShown = reports.some((each) => each.image === 'new');
  if (!isNewAlone || !(isLost || isShown)) assertWithinOverlap(day, now, image);
  if (!isLost || (image === 'new' && !isNewAlone)) assertQuorumWithout(reports, node, threshold);
}

async function moveNode(node: number, image: ImageName, ports: UpgradePorts): Promise<void> {
  const { deploy, look, sign } = ports;
  const failure = await deploy(node, image);
  if (failure !== null) {
    throw new UpgradeError('UPGRADE_NODE_NOT_SERVING', 'the node does not serve with the image', {
      node,
      image,
      reason: failure,
    });
  }
  const own = (await look()).find((each) => each.node === node);
  if (own?.image !== image) {
    throw new UpgradeError(
      'UPGRADE_NODE_OTHER_IMAGE',
      'the node does not attest the image that was deployed',
      {
        node,
        expected: image,
        actual: own?.image ?? null,
      },
    );
  }
  await assertSigns(node, image, sign);
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
