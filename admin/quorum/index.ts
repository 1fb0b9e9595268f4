export {
  describeImagePcrs,
  type NodeManifest,
  planQuorum,
  type PlannedImage,
  type PlannedNode,
} from './plan.ts';
export { describeSharedFaults } from './shared-faults.ts';
