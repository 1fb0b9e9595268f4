export type { UpgradeErrorCode } from './errors.ts';
export { type ImageName, imageOf, type UpgradeImages } from './images.ts';
export {
  assertOverlapLength,
  assertWithinOverlap,
  describeReminder,
  findOverlapState,
  overlapAt,
  type KeyPolicyOfNode,
  type OverlapState,
  renderOverlapPolicy,
  renderSinglePolicy,
} from './overlap.ts';
export {
  assertQuorumSigns,
  assertQuorumWithout,
  assertSigns,
  assertSpareNode,
  type NodeReport,
} from './quorum.ts';
export {
  assertAllRun,
  assertNotStopped,
  orderNodes,
  rollBack,
  rollOut,
  type RollOutEvent,
  type RollOutPlan,
  type UpgradeJournal,
  type UpgradePorts,
  type UpgradeStop,
} from './roll-out.ts';
