export { askAws } from './ask.ts';
export { openKms, openSecretsManager, type AwsAccess } from './clients.ts';
