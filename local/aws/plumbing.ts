/** Parts that a service of the local AWS is built from. */
export { AwsServiceError, blob, optional, parseInput } from '../../shared/aws-json/index.ts';
export { callerArn } from './directory.ts';
export { globalContext, type AuthenticatedRequest, type AwsService } from './service.ts';
export { StateStore } from './state.ts';
