export {
  type ComposedDeployment,
  composeDeployment,
  type DeploymentParts,
  writeDeployment,
} from './deployment.ts';
export { buildStandInImage, type StandInImage } from './image.ts';
