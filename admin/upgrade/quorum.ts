import { UpgradeError } from './errors.ts';
import type { ImageName } from './images.ts';

/** What a client sees of a node just now. */
export interface NodeReport {
  readonly node: number;
  /** True where the node serves, attests one of the two images, and says that it holds its share. */
  readonly canSign: boolean;
  /** Image that the node attests; null where it does not serve, or attests another one. */
  readonly image: ImageName | null;
  /** Code of what is wrong with it, or null. */
  readonly code: string | null;
}

/**
 * Asserts that a quorum can be upgraded node by node at all.
 * @throws UpgradeError UPGRADE_NO_SPARE_NODE
 */
export function assertSpareNode({
  size,
  threshold,
}: {
  readonly size: number;
  readonly threshold: number;
}): void {
  if (size > threshold) return;
  throw new UpgradeError(
    'UPGRADE_NO_SPARE_NODE',
    'the quorum needs all of its nodes to sign, and none can be taken down',
    {
      size,
      threshold,
    },
  );
}

/**
 * Asserts that the quorum signs before anything is touched: a client or a key with which it never would must not look like the
 * fault of an image. Where no node can sign there is nobody to ask, and nothing is asserted.
 *
 * @param reports of all nodes: the first one that can sign is asked
 * @param sign has the quorum sign, coordinated by a node; null where it has signed, and else the code of the refusal
 * @throws UpgradeError UPGRADE_QUORUM_NOT_SIGNING
 */
export async function assertQuorumSigns(
  reports: readonly NodeReport[],
  sign: (node: number) => Promise<string | null>,
): Promise<void> {
  const able = reports.find(({ canSign }) => canSign);
  const reason = able === undefined ? null : await sign(able.node);
  if (able === undefined || reason === null) return;
  throw new UpgradeError(
    'UPGRADE_QUORUM_NOT_SIGNING',
    'the quorum does not sign, and nothing was touched yet',
    {
      node: able.node,
      image: able.image,
      reason,
    },
  );
}

/**
 * Asserts that the quorum signs with one node in it.
 *
 * @param sign as of {@link assertQuorumSigns}
 * @throws UpgradeError UPGRADE_QUORUM_NOT_SIGNING
 */
export async function assertSigns(
  node: number,
  image: ImageName,
  sign: (node: number) => Promise<string | null>,
): Promise<void> {
  const reason = await sign(node);
  if (reason === null) return;
  throw new UpgradeError('UPGRADE_QUORUM_NOT_SIGNING', 'the quorum does not sign with the node', {
    node,
    image,
    reason,
  });
}

/**
 * Asserts that enough nodes can sign while one is down. A node that is down already takes nothing away.
 *
 * @throws UpgradeError UPGRADE_QUORUM_AT_RISK
 */
export function assertQuorumWithout(reports: readonly NodeReport[], node: number, threshold: number): void {
  const able = reports
    .filter((report) => report.node !== node && report.canSign)
    .map((report) => report.node);
  if (able.length >= threshold) return;
  throw new UpgradeError(
    'UPGRADE_QUORUM_AT_RISK',
    'fewer nodes than the threshold could sign while this one is down',
    {
      node,
      threshold,
      able,
      others: reports
        .filter((report) => report.node !== node && !report.canSign)
        .map((report) => ({ node: report.node, code: report.code })),
    },
  );
}
