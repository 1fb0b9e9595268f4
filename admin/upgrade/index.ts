export { UpgradeError, type UpgradeErrorCode } from './errors.ts';
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
  isDown,
  isInterruption,
  orderUnableFirst,
  type RollOutEvent,
  type RollOutPlan,
  type UpgradeJournal,
  type UpgradePorts,
  type UpgradeStop,
} from './node-moves.ts';
export { assertBack, rollBack } from './roll-back.ts';
export { assertAllRun, assertNotStopped, orderNodes, rollOut } from './roll-out.ts';
