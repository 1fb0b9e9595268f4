export { askAws } from './ask.ts';
export {
  openCloudFormation,
  openKms,
  openLambda,
  openS3,
  openSecretsManager,
  openSsm,
  openSts,
  type AwsAccess,
} from './clients.ts';
