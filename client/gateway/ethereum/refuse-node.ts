import { AttestationError } from '../../../attestation/index.ts';
import { TransactionError } from '../../../policy/transactions/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import { JsonError } from '../../../shared/json/index.ts';
import { EthereumRequestError } from '../../ethereum/errors.ts';
import { ClientError, NodeRefusal } from '../../errors.ts';
import { nodeCode } from '../readiness.ts';
import { EthereumDoorError, type EthereumDoorErrorCode } from './errors.ts';

/** A refusal as clients get it: by JSON-RPC with its number, by REST with its status. */
export interface EthereumRefusal {
  /** Code of JSON-RPC 2.0, EIP-1474 or EIP-1193. */
  readonly number: number;
  /** HTTP status where the request was one of REST. */
  readonly status: number;
  /** Code that `holdfast explain` explains. */
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number>>;
}

const OF_DOOR: Readonly<Record<EthereumDoorErrorCode, { readonly number: number; readonly status: number }>> =
  {
    RPC_REQUEST_MALFORMED: { number: -32600, status: 400 },
    RPC_METHOD_UNSUPPORTED: { number: -32004, status: 405 },
    RPC_PARAMETERS_MALFORMED: { number: -32602, status: 400 },
    RPC_ACCOUNT_UNKNOWN: { number: 4100, status: 404 },
    RPC_ORIGIN_REFUSED: { number: 4100, status: 403 },
    SIGNING_DATA_UNREADABLE: { number: -32602, status: 400 },
  };
const INVALID_PARAMETERS = -32602;
const REJECTED = -32003;
const LIMIT_EXCEEDED = -32005;
const INTERNAL = -32603;
/** Codes of a node for payloads that are no transaction, message or document, whoever asks. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'TRANSACTION_MALFORMED',
  'TRANSACTION_NOT_CANONICAL',
  'TRANSACTION_TOO_LARGE',
]);
/** Codes after which nobody knows whether a node has signed. */
const UNCERTAIN: ReadonlySet<string> = new Set(['ANSWER_LOST', 'ANSWER_TIMEOUT', 'ANSWER_MALFORMED']);

/** Puts a failure into words and numbers of the protocol; rethrows a defect of the door. */
export function refuse(error: unknown): EthereumRefusal {
  if (error instanceof EthereumDoorError)
    return { ...OF_DOOR[error.code], code: error.code, message: error.message, details: {} };
  if (error instanceof EthereumRequestError) {
    const details = { field: String(error.details['field']) };
    return { number: INVALID_PARAMETERS, status: 400, code: error.code, message: error.message, details };
  }
  if (error instanceof TransactionError || error instanceof JsonError) {
    return { number: INVALID_PARAMETERS, status: 400, code: error.code, message: error.message, details: {} };
  }
  if (error instanceof NodeRefusal) return refuseDecided(error);
  if (error instanceof ClientError && error.code === 'APPROVALS_NEEDED') {
    const { id, rule } = error.details;
    return {
      number: REJECTED,
      status: 403,
      code: error.code,
      message: 'the request waits for approvals; the same request again gets its signature',
      details: { request: String(id), rule: String(rule) },
    };
  }
  if (!(error instanceof ClientError || error instanceof AttestationError)) throw error;
  const code = error instanceof ClientError ? nodeCode(error) : errorCode(error);
  const message = UNCERTAIN.has(code)
    ? 'whether the node has signed is not known; nothing was sent to a chain'
    : 'no node took the request; nothing was signed';
  return { number: INTERNAL, status: 500, code, message, details: {} };
}

function refuseDecided({ code, details }: NodeRefusal): EthereumRefusal {
  const status = Number(details['status']);
  if (UNREADABLE.has(code))
    return {
      number: INVALID_PARAMETERS,
      status: 400,
      code,
      message: 'the node does not read this',
      details: {},
    };
  if (status === 429 || code === 'RATE_LIMITED')
    return { number: LIMIT_EXCEEDED, status: 429, code, message: 'too much for now', details: {} };
  const isOfRequest = status >= 400 && status < 500;
  return {
    number: isOfRequest ? REJECTED : INTERNAL,
    status: isOfRequest ? 403 : 500,
    code,
    message: 'the node refuses; nothing was signed',
    details: {},
  };
}
