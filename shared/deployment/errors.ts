import { HoldfastError } from '../errors.ts';

export type DeploymentErrorCode =
  /** deployment.json is not strict JSON of the format, or says what cannot be. */
  'DEPLOYMENT_MALFORMED';

/** A document that is no deployment. */
export class DeploymentError extends HoldfastError<DeploymentErrorCode> {}
