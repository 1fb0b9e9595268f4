import { HoldfastError } from '../shared/errors.ts';

export type ClientErrorCode =
  /** The signature shares do not make a signature; `details.signers` names those at fault, where known. */
  'AGGREGATION_FAILED';

export class ClientError extends HoldfastError<ClientErrorCode> {}
