import { HoldfastError } from '../shared/errors.ts';

export type AuditErrorCode =
  /** A signed envelope of the right type whose content is no record of the gate. */
  | 'RECORD_MALFORMED'
  /** The record of the gate is about another policy, document or root. */
  | 'RECORD_MISMATCH';

/** What an auditor refuses to believe. */
export class AuditError extends HoldfastError<AuditErrorCode> {}
