import { HoldfastError } from '../../shared/errors.ts';

export type EthereumRequestErrorCode =
  /** A field of a transaction is missing, is unknown, is no value of its kind, or contradicts another. */
  'ETHEREUM_FIELD_MALFORMED';

/** Refusal of a transaction before anybody is asked to sign it; `details.field` names the field. */
export class EthereumRequestError extends HoldfastError<EthereumRequestErrorCode> {}

/** Makes the refusal of a field. */
export function malformedField(field: string, expected: string): EthereumRequestError {
  return new EthereumRequestError('ETHEREUM_FIELD_MALFORMED', `${field}: expected ${expected}`, {
    field,
    expected,
  });
}
