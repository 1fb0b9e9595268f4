export {
  ADMINISTRATOR_POLICY,
  PrincipalDirectory,
  type AccessKeyOptions,
  type AwsCredentials,
  type RoleOptions,
  type SessionOptions,
} from './directory.ts';
export { LocalAwsError, type LocalAwsErrorCode } from './errors.ts';
export { startLocalAws, type ClientOptions, type LocalAws, type LocalAwsOptions } from './local-aws.ts';
export type { AwsEvent } from './server.ts';
