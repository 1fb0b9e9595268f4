/** Reasons for which a secret is not populated; the stack's events show them. */
export type PopulateErrorCode =
  /** The event is none of a custom resource, or its properties are not SecretId and Generation. */
  | 'POPULATE_REQUEST_MALFORMED'
  /** A generation before the newest, whose secret is not the previous one: what was given up stays given up. */
  | 'POPULATE_GENERATION_OLD'
  /** Secrets Manager refused, or was not to be reached in time. */
  | 'POPULATE_UNAVAILABLE';

/** A refusal of the custom resource. */
export class PopulateError extends Error {
  readonly code: PopulateErrorCode;

  constructor(code: PopulateErrorCode, message: string) {
    super(message);
    this.name = 'PopulateError';
    this.code = code;
  }
}
