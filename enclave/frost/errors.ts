import { SignerError, type SignerErrorCode } from '../signer/index.ts';

export type FrostErrorCode =
  | SignerErrorCode
  /** The encrypted share was not made for this node, boot and key, or was altered. */
  | 'SHARE_UNREADABLE'
  /** The share is not the one that its commitments promise, or they are no points of the group. */
  | 'SHARE_INVALID'
  /** A share of another type, signer, quorum or group than is wanted here. */
  | 'SHARE_MISMATCH'
  /** Sealed bytes that are not a share of the wanted type. */
  | 'SHARE_MALFORMED'
  | 'SHARE_DESTROYED'
  /** No such nonces for this client and key: never made, expired, or of another boot. */
  | 'NONCE_UNKNOWN'
  | 'NONCE_USED'
  /** Too many nonces await their second round. */
  | 'NONCE_LIMIT'
  /** The list of commitments is not that of a quorum, or does not hold this node's own. */
  | 'COMMITMENTS_INVALID';

export class FrostError extends SignerError<FrostErrorCode> {}
