export {
  ADMINISTRATOR_POLICY,
  callerArn,
  PrincipalDirectory,
  type AccessKeyOptions,
  type AwsCredentials,
  type Credential,
  type RoleOptions,
  type SessionOptions,
} from './directory.ts';
export { AwsServiceError, LocalAwsError, type LocalAwsErrorCode } from './errors.ts';
export { startAwsServer, type AwsEvent, type AwsServer } from './server.ts';
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
export { openAuthority, type LocalAuthority } from './tls.ts';
