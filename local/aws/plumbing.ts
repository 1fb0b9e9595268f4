/** What a service of the local AWS is built from. */
export { callerArn } from './directory.ts';
export { AwsServiceError } from './errors.ts';
export {
  blob,
  globalContext,
  optional,
  parseInput,
  required,
  type AuthenticatedRequest,
  type AwsService,
} from './service.ts';
export { StateStore } from './state.ts';
