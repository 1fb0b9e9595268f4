import { HoldfastError } from '../../shared/errors.ts';

export type DeployErrorCode =
  /** The source has no deployment.json, or lacks a file that it lists. */
  | 'DEPLOYMENT_MISSING'
  /** deployment.json is not the one whose SHA-256 its address names. */
  | 'DEPLOYMENT_DIGEST_MISMATCH'
  /** A file has another digest or length than deployment.json lists. */
  | 'DEPLOYMENT_FILE_ALTERED'
  /** The source cannot be asked: no credentials, no permission, no connection. */
  | 'DEPLOYMENT_SOURCE_UNAVAILABLE'
  /** The image does not measure to pcr.json. */
  | 'DEPLOYMENT_IMAGE_UNEXPECTED'
  /** The manifest measures to another PCR16 than deployment.json or pcr.json names, or is none. */
  | 'DEPLOYMENT_MANIFEST_UNEXPECTED'
  /** The manifest is of another vault or node than deployment.json says. */
  | 'DEPLOYMENT_OTHER_NODE'
  /** The configuration is not signed by the authorities of the manifest, or is for another one. */
  | 'DEPLOYMENT_CONFIGURATION_REFUSED'
  /** The store has seen a newer configuration, which no node takes back. */
  | 'DEPLOYMENT_CONFIGURATION_OLDER'
  /** The store may have a format that the image of this deployment does not read. */
  | 'DEPLOYMENT_STORE_NEWER'
  /** host.yaml, or the settings for the parent in deployment.json, make no parent.yaml. */
  | 'DEPLOYMENT_SETTINGS_INVALID'
  /** Another run of the verb is under way on this host. */
  | 'DEPLOYMENT_BUSY'
  /** The disk has no room for the files and the snapshot. */
  | 'DEPLOYMENT_DISK_FULL'
  /** A folder belongs to somebody else, or others may write to it; or the verb does not run as root. */
  | 'DEPLOYMENT_PERMISSIONS'
  /** The unit of the parent is not installed. */
  | 'DEPLOYMENT_UNIT_MISSING'
  /** There is no former deployment to go back to. */
  | 'DEPLOYMENT_NO_PREVIOUS'
  /** The node neither serves nor has halted within the time. */
  | 'DEPLOYMENT_NOT_SETTLED'
  /** The parent did not start, or ended again. */
  | 'DEPLOYMENT_PARENT_FAILED'
  /** systemctl failed, was killed after its time, or printed something unexpected. */
  | 'SYSTEMCTL_FAILED'
  /** The path has no systemctl. */
  | 'SYSTEMCTL_MISSING';

/** Refusal of `parent deploy`. Before DEPLOYMENT_NOT_SETTLED and DEPLOYMENT_PARENT_FAILED the former deployment stays in force. */
export class DeployError extends HoldfastError<DeployErrorCode> {}
