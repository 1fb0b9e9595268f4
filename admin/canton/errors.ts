import { HoldfastError } from '../../shared/errors.ts';

export type CantonErrorCode =
  /** The description of validators is not YAML, or a field is missing, unknown or malformed; `fields` names them. */
  | 'CANTON_DESCRIPTION_MALFORMED'
  /** Validators of a description that contradict themselves or each other; `fields` names them. */
  | 'CANTON_DESCRIPTION_CONTRADICTORY'
  /** KMS is on for validators that have no ServiceAccount; `validators` names them. */
  | 'CANTON_SERVICE_ACCOUNT_MISSING'
  /** One key is named for two validators; `keys` names it. */
  | 'CANTON_KEY_SHARED'
  /** A key lies in another Region than its validator uses; `keys` names it. */
  | 'CANTON_KEY_REGION'
  /** The input of a check is not what `kubectl get -o json` prints. */
  | 'CANTON_OBJECTS_MALFORMED'
  /** The description has no validator of this name. */
  | 'CANTON_VALIDATOR_UNKNOWN';

/** Refusal of a description of validators, or of what is checked against it. */
export class CantonError extends HoldfastError<CantonErrorCode> {}
