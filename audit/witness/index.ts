export { decideCosign } from './decision.ts';
export { WITNESS_STATUS, WitnessError, type WitnessErrorCode } from './errors.ts';
export {
  type CosignRequest,
  type FollowedLogs,
  MAX_COSIGN_REQUEST_BYTES,
  parseCosignRequest,
  verifyCosignRequest,
} from './request.ts';
