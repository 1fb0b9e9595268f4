import { errorCode, HoldfastError } from '../../shared/errors.ts';
import { UpgradeError } from './errors.ts';
import type { ImageName } from './images.ts';
import { assertWithinOverlap } from './overlap.ts';
import { assertQuorumWithout, assertSigns, type NodeReport } from './quorum.ts';

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
  /**
   * Finds what keeps a node from being brought to an image, though nothing is wrong with it: its admin has to do something first.
   * The run leaves that node, and goes on with the others. Nothing keeps any node back where this function is absent.
   */
  readonly findObstacle?: (node: number, image: ImageName) => Promise<HoldfastError | null>;
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
  /** Whether a node's key has taken that day: from then on KMS refuses the old image only there. */
  readonly isGated: (node: number) => boolean;
}

/** What a run says while it goes on. */
export type RollOutEvent =
  | { readonly event: 'node-begun'; readonly node: number; readonly image: ImageName }
  | { readonly event: 'node-done'; readonly node: number; readonly image: ImageName }
  /** A node is left as it is, with this code, and the run goes on without it. */
  | {
      readonly event: 'node-left';
      readonly node: number;
      readonly image: ImageName;
      readonly code: string;
    };

/** What a run goes by, acts with, remembers and reports. */
interface Run {
  readonly plan: RollOutPlan;
  readonly ports: UpgradePorts;
  readonly journal: UpgradeJournal;
  readonly report: (event: RollOutEvent) => void;
}

/** Codes that say nothing of a node: the run itself has come to an end, and the next one takes it up. */
const INTERRUPTIONS: readonly string[] = [
  'AWS_CREDENTIALS',
  'AWS_CREDENTIALS_EXPIRED',
  'AWS_UNREACHABLE',
  'INTERRUPTED',
];

/** Whether an error says nothing of a node, but that the run itself has come to an end. */
export function isInterruption(error: unknown): boolean {
  return INTERRUPTIONS.includes(errorCode(error));
}

/** Whether a node attests neither image: it is down, or cannot be reached. */
export function isDown(reports: readonly NodeReport[], node: number): boolean {
  return (reports.find((each) => each.node === node)?.image ?? null) === null;
}

/**
 * Order of nodes with those first that cannot sign: to replace their image takes nothing away. Of these come first nodes that
 * are up, and that their peers refuse: the host of one that is down may be gone, and a run that ends there would not reach them.
 */
export function orderUnableFirst(
  nodes: readonly number[],
  reports: readonly NodeReport[],
): readonly number[] {
  const isAble = (node: number) => reports.some((each) => each.node === node && each.canSign);
  const rankOf = (node: number) => (isAble(node) ? 2 : isDown(reports, node) ? 1 : 0);
  return nodes.toSorted((one, other) => rankOf(one) - rankOf(other));
}

/**
 * Brings an image to nodes, one after the other: each next one only when the former serves with it and the quorum has signed
 * with it. Nodes that run it already are only asked to sign.
 *
 * @returns nodes that were left as they are, with what has kept them so
 * @throws UpgradeError UPGRADE_OVERLAP_EXPIRED, UPGRADE_QUORUM_AT_RISK before a node is touched; after that the run has
 *   stopped: UPGRADE_NODE_…, UPGRADE_QUORUM_NOT_SIGNING
 */
export async function moveAll(
  image: ImageName,
  nodes: readonly number[],
  run: Run,
): Promise<ReadonlyMap<number, unknown>> {
  const { plan, ports, report } = run;
  const left = new Map<number, unknown>();
  for (const node of nodes) {
    await ports.assertOpen?.(image);
    const reports = await ports.look();
    const own = reports.find((each) => each.node === node);
    const isThere = own?.canSign === true && own.image === image;
    if (!isThere) {
      const obstacle = await ports.findObstacle?.(node, image);
      if (obstacle !== undefined && obstacle !== null) {
        left.set(node, obstacle);
        report({ event: 'node-left', node, image, code: obstacle.code });
        continue;
      }
      // Nothing is touched yet: a refusal here is no stop.
      assertMayMove(node, image, { plan, reports, now: ports.clock() });
      report({ event: 'node-begun', node, image });
    }
    try {
      if (!isThere) await replaceImage(node, image, ports);
      // A run that was cut off may have left a node with which nobody has signed yet.
      await assertSigns(node, image, ports.sign);
    } catch (error) {
      if (isInterruption(error)) throw error;
      throw await stop(run, { node, image }, error);
    }
    if (!isThere) report({ event: 'node-done', node, image });
  }
  return left;
}

/**
 * Starts nodes that are down with the old image, and comes to the end of them: while they are too few, none can sign.
 *
 * @returns those that stay down, with what has kept them so
 * @throws UpgradeError UPGRADE_NODE_… for one that is up then, and is not as it should be: the run has stopped
 */
export async function startDown(order: readonly number[], run: Run): Promise<ReadonlyMap<number, unknown>> {
  const { plan, ports, report } = run;
  const failures = new Map<number, unknown>();
  for (const node of order) {
    await ports.assertOpen?.('old');
    const reports = await ports.look();
    if (!isDown(reports, node)) continue;
    try {
      const obstacle = await ports.findObstacle?.(node, 'old');
      if (obstacle !== undefined && obstacle !== null) throw obstacle;
      assertMayMove(node, 'old', { plan, reports, now: ports.clock() });
      report({ event: 'node-begun', node, image: 'old' });
      await replaceImage(node, 'old', ports);
      report({ event: 'node-done', node, image: 'old' });
    } catch (error) {
      if (isInterruption(error)) throw error;
      if (!isDown(await ports.look(), node)) throw await stop(run, { node, image: 'old' }, error);
      failures.set(node, error);
      report({ event: 'node-left', node, image: 'old', code: causeOf(error) });
    }
  }
  return failures;
}

/** Remembers where a run has stopped, and why. @returns the error itself, to be thrown */
export async function stop(
  { journal, ports }: Run,
  place: Pick<UpgradeStop, 'node' | 'image'>,
  error: unknown,
): Promise<unknown> {
  await journal.setStopped({ ...place, code: causeOf(error), at: new Date(ports.clock()).toISOString() });
  return error;
}

/** Code of what is wrong with a node: a refusal that has a reason says less than the reason. */
function causeOf(error: unknown): string {
  const reason = error instanceof UpgradeError ? error.details['reason'] : undefined;
  return typeof reason === 'string' ? reason : errorCode(error);
}

/**
 * Asserts that a node may be taken down for an image. One that cannot sign has nothing to lose; and once its day is over, the
 * new image is all that KMS admits, so that waiting makes nothing better, unless no node has shown yet that it serves. A key
 * that never took the day admits the old image after it as before.
 *
 * @throws UpgradeError UPGRADE_OVERLAP_EXPIRED, UPGRADE_QUORUM_AT_RISK
 */
function assertMayMove(
  node: number,
  image: ImageName,
  {
    plan: { threshold, until, isGated },
    reports,
    now,
  }: { readonly plan: RollOutPlan; readonly reports: readonly NodeReport[]; readonly now: number },
): void {
  const day = until(node);
  const isLost = reports.find((each) => each.node === node)?.canSign !== true;
  const isNewAlone = image === 'new' && now >= day;
  const isShown = reports.some((each) => each.image === 'new');
  const isFree = image === 'new' ? isNewAlone && (isLost || isShown) : isLost && !isGated(node);
  if (!isFree) assertWithinOverlap(day, now, image);
  if (!isLost || (image === 'new' && !isNewAlone)) assertQuorumWithout(reports, node, threshold);
}

/** Has a node's host replace the image, and sees that the node attests it. */
async function replaceImage(node: number, image: ImageName, { deploy, look }: UpgradePorts): Promise<void> {
  let [failure, cause]: [string | null, unknown?] = [null];
  try {
    failure = await deploy(node, image);
  } catch (error) {
    // A host that is gone, or refuses, leaves a node that does not serve; everything else is no fault of the node.
    if (!(error instanceof HoldfastError) || isInterruption(error)) throw error;
    [failure, cause] = [error.code, error];
  }
  if (failure !== null)
    throw new UpgradeError(
      'UPGRADE_NODE_NOT_SERVING',
      'the node does not serve with the image',
      { node, image, reason: failure, ...(cause instanceof HoldfastError ? { said: cause.details } : {}) },
      cause,
    );
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
}
