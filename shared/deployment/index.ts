export {
  DEPLOYMENT_FILE,
  DEPLOYMENT_FILES,
  DEPLOYMENT_FORMAT,
  type Deployment,
  type DeploymentFileName,
  deploymentId,
  encodeDeployment,
  MAX_DEPLOYMENT_BYTES,
  NONCE_FILE,
  parseDeployment,
  type RequiredIdentity,
} from './document.ts';
export { DeploymentError, type DeploymentErrorCode } from './errors.ts';
export type { ParentPart } from './parent-part.ts';
