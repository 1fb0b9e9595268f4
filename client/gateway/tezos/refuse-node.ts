import { AttestationError } from '../../../attestation/index.ts';
import { parseEntry } from '../../../audit/receipt/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import { ClientError, NodeRefusal } from '../../errors.ts';
import { nodeCode } from '../readiness.ts';
import type { TezosPayload } from './payload.ts';
import { REFUSALS, TezosRefusal } from './errors.ts';

/** Codes of payloads that the enclave could not read: the client's bytes are at fault. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'TRANSACTION_MALFORMED',
  'TRANSACTION_NOT_CANONICAL',
  'TRANSACTION_TOO_LARGE',
  'TRANSACTION_UNSAFE',
]);
const WATERMARKS: ReadonlySet<string> = new Set(['WATERMARK_TOO_LOW', 'WATERMARK_CONFLICT']);
/** Codes after which nobody knows whether a node has signed. */
const UNCERTAIN: ReadonlySet<string> = new Set(['ANSWER_LOST', 'ANSWER_TIMEOUT', 'ANSWER_MALFORMED']);
/** Codes of a node that could not write its decision down: it ends, and no signature has left it. */
const UNRECORDED = /^(?:STORE|LOG)_/;
/** The most characters of a message. */
const MAX_MESSAGE = 600;

/**
 * Puts a failure to sign into the protocol's form: 403 and 409 where the enclave has decided, 400 where it could not read
 * the payload, 500 for everything else, with the words whether it may have been carried out. A code of ours begins each
 * message that clients do not know from elsewhere; `holdfast explain CODE` says more.
 */
export function refuseNode(error: unknown, asked: TezosPayload | undefined): TezosRefusal {
  if (error instanceof TezosRefusal) return error;
  const code = error instanceof ClientError ? nodeCode(error) : errorCode(error);
  if (error instanceof NodeRefusal) return refuseDecided(error, asked);
  if (error instanceof ClientError && error.code === 'APPROVALS_NEEDED') {
    const { id, rule } = error.details;
    return new TezosRefusal(
      403,
      error.code,
      `${error.code}: request ${String(id)} waits for the approvals of rule ${String(rule)}; the same request again gets its signature`,
    );
  }
  if (UNCERTAIN.has(code)) {
    return new TezosRefusal(
      500,
      code,
      `${code}: the node may have signed; the same request again is answered by the same rules and watermark`,
    );
  }
  if (error instanceof ClientError || error instanceof AttestationError)
    return new TezosRefusal(500, code, `${code}: no node took the request; nothing was signed`);
  throw error;
}

function refuseDecided(error: NodeRefusal, asked: TezosPayload | undefined): TezosRefusal {
  const { code } = error;
  if (WATERMARKS.has(code)) return REFUSALS.watermark(code);
  if (UNREADABLE.has(code))
    return new TezosRefusal(400, code, `${code}: the enclave does not read this payload`);
  if (code === 'TRANSACTION_NETWORK_MISMATCH' && asked?.chain !== undefined)
    return REFUSALS.chain(asked.chain, code);
  const reasons = readReasons(error);
  const isOfKind = reasons.length > 0 && reasons.every(({ condition }) => OF_KIND.has(condition));
  if (code === 'POLICY_DENIED' && isOfKind && asked !== undefined) return REFUSALS.requestKind(asked.kind);
  const words = reasons.map((reason) => reason.words).join('; ');
  const message = `${code}: ${words === '' ? 'nothing was signed' : words}`.slice(0, MAX_MESSAGE);
  return new TezosRefusal(isOfRequest(error) ? 403 : 500, code, message);
}

/** Tells whether a refusal is of the request, and not of the node's state or of the door itself. */
function isOfRequest({ code, details }: NodeRefusal): boolean {
  return code === 'LIMIT_EXCEEDED' || (details['status'] === 403 && !UNRECORDED.test(code));
}

/** Members of a rule by which it is about other requests altogether. */
const OF_KIND: ReadonlySet<string> = new Set(['payloads', 'keys', 'clients', 'algorithms', 'operations']);

/** Reads why nothing permits a request; nothing where the refusal has no receipt that can be read. */
function readReasons({ receipt }: NodeRefusal) {
  if (receipt === undefined) return [];
  try {
    const { predicate } = parseEntry(Buffer.from(receipt.envelope.payload, 'base64'));
    return 'reasons' in predicate ? predicate.reasons : [];
  } catch {
    return [];
  }
}
