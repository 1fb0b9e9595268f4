import { AwsServiceError } from '../aws/plumbing.ts';

/** Refusal of a template or of a request's values, in CloudFormation's words. */
export function validationError(message: string): AwsServiceError {
  return new AwsServiceError('ValidationError', message);
}

/** Refusal of a template whose form is not one that CloudFormation takes. */
export function formatError(message: string): AwsServiceError {
  return validationError(`Template format error: ${message}`);
}

/** Refusal of a template whose functions cannot be carried out. */
export function templateError(message: string): AwsServiceError {
  return validationError(`Template error: ${message}`);
}
