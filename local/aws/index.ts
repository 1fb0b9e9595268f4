export { ADMINISTRATOR_POLICY, type AwsCredentials } from './directory.ts';
export { LocalAwsError } from './errors.ts';
export { startLocalAws, type LocalAws, type LocalAwsOptions } from './local-aws.ts';
export type { AwsEvent } from './server.ts';
