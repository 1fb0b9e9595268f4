export { ADMINISTRATOR_POLICY, type AwsCredentials } from './directory.ts';
export { LocalAwsError } from './errors.ts';
export type { AwsEvent } from './server.ts';
