import { HoldfastError } from '../../shared/errors.ts';
import { QuorumSigningError } from '../quorum/signing/index.ts';
import type { PolicyRefusal } from '../../policy/index.ts';
import type { TransactionErrorCode } from '../../policy/transactions/index.ts';
import type { WatermarkRefusal } from '../../policy/watermarks/index.ts';
import type { ApprovalErrorCode } from '../../policy/approvals/index.ts';
import type { Receipt } from '../../audit/receipt/index.ts';

export type SigningErrorCode =
  /** The configuration in force has expired: the node permits nothing until it starts with another. */
  | 'CONFIGURATION_EXPIRED'
  /** Fewer nodes than the threshold are reachable, and the configuration does not let this one serve the key alone. */
  | 'QUORUM_BELOW_THRESHOLD'
  /** The rule asks for approvals, and an operation on a key cannot wait for them. */
  | 'APPROVALS_NOT_AWAITED';

/**
 * The code of a denial: of the policy, of a decoder, of a watermark, of the configuration as a whole, or of a vote that
 * another node has forwarded.
 */
export type DenialCode =
  PolicyRefusal | TransactionErrorCode | WatermarkRefusal | SigningErrorCode | ApprovalErrorCode;

/** A request that was decided, recorded in the log, and has no result; `receipt` proves the record. */
export abstract class RefusedRequest<Code extends string = string> extends HoldfastError<Code> {
  readonly receipt: Receipt;
  /** Receipts of other nodes of the quorum that have decided on the request. */
  readonly receipts: readonly Receipt[];

  constructor(code: Code, message: string, receipt: Receipt, cause?: unknown) {
    super(code, message, {}, cause);
    this.receipt = receipt;
    this.receipts = cause instanceof QuorumSigningError ? cause.receipts : [];
  }
}

/** A request that nothing permits; the receipt has the reasons, and what is still needed. */
export class PolicyError extends RefusedRequest<DenialCode> {}

/** A request that was permitted and could not be carried out; `cause` is the error of the key, the share or the store. */
export class FailedRequest extends RefusedRequest {
  /** The rule that has permitted the request. */
  readonly rule: string;

  constructor(
    code: string,
    message: string,
    { rule, receipt }: { rule: string; receipt: Receipt },
    cause: unknown,
  ) {
    super(code, message, receipt, cause);
    this.rule = rule;
  }
}
