import { SignerError, type SignerErrorCode } from '../signer/index.ts';

export type FrostErrorCode =
  | SignerErrorCode
  /** The encrypted share was not made for this node, boot and key, or was altered. */
  | 'SHARE_UNREADABLE'
  /** The share does not match its group's commitments, or these are not elements of the group. */
  | 'SHARE_INVALID'
  /** A share of another type, signer, quorum or group than manifest and configuration name. */
  | 'SHARE_MISMATCH'
  /** Sealed bytes that are not a share of the wanted type. */
  | 'SHARE_MALFORMED'
  | 'SHARE_DESTROYED'
  /** The commitments are not those of a quorum in ascending order, or lack this node's own. */
  | 'COMMITMENTS_INVALID';

export class FrostError extends SignerError<FrostErrorCode> {}
