import { AttestationError } from '../../../attestation/index.ts';
import { parseEntry, type Receipt, unsafeParseReceipt } from '../../../audit/receipt/index.ts';
import { AwsServiceError } from '../../../shared/aws-json/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import { ClientError, NodeRefusal } from '../../errors.ts';

/** What a failure says of the request. */
export type Fate =
  /** Nothing was decided or done: the request may be sent again. */
  | 'not-carried-out'
  /** Refused for now by a rate: nothing was done. */
  | 'throttled'
  /** Whether it was carried out is not known. */
  | 'unknown'
  /** Refused. */
  | 'refused';

/** Milliseconds after which a throttled client is told to ask again. */
const RETRY_AFTER_MS = 1_000;

/** An error of the door's table: what the client is told, and what the log names. */
export class KmsRefusal extends AwsServiceError {
  /** Code of the node or of the client library. */
  readonly reason: string;
  readonly fate: Fate;
  /** Value of x-amz-retry-after in milliseconds, or undefined. */
  readonly retryAfterMs: number | undefined;

  constructor(name: string, status: number, fate: Fate, code: string, words: string) {
    super(name, words === '' ? code : `${code}: ${words}`, status);
    this.reason = code;
    this.fate = fate;
    this.retryAfterMs = fate === 'throttled' ? RETRY_AFTER_MS : undefined;
  }
}

interface Row {
  /** AWS's name of the error. */
  readonly name: string;
  readonly status?: number;
  readonly fate?: Fate;
}
const row = (name: string, codes: readonly string[], more: Omit<Row, 'name'> = {}) =>
  codes.map((code): [string, Row] => [code, { name, ...more }]);

/**
 * Codes of nodes and of the client library, and the nearest error of KMS. SDKs try an error of status 500 again, three to
 * five times, and ThrottlingException; every other one of status 400 they hand on at once. So what may be sent again is of
 * the first kinds, and what may have been carried out is not.
 */
const TABLE: ReadonlyMap<string, Row> = new Map([
  ...row('AccessDeniedException', [
    'POLICY_DENIED',
    'RULE_DENIED',
    'KEY_TYPE_REFUSED',
    'DESCRIPTION_REFUSED',
    'ALIAS_REFUSED',
    'CONFIGURATION_EXPIRED',
    'APPROVALS_NEEDED',
    'APPROVAL_REJECTED',
    'APPROVALS_NOT_AWAITED',
    'LIMIT_EXCEEDED',
    'QUORUM_DENIED',
    'CLIENT_UNKNOWN',
    'UNKNOWN_CLIENT',
    'SIGNATURE_INVALID',
  ]),
  ...row('NotFoundException', ['UNKNOWN_KEY', 'POOL_KEY_UNKNOWN', 'ALIAS_UNKNOWN', 'SHARE_MISSING']),
  ...row('ThrottlingException', ['RATE_LIMITED'], { fate: 'throttled' }),
  ...row(
    'ThrottlingException',
    ['OVERLOADED', 'REPLAY_CACHE_FULL', 'LOG_OVERLOADED', 'LIMITS_FULL', 'REQUESTS_FULL'],
    { fate: 'not-carried-out' },
  ),
  ...row(
    'KeyUnavailableException',
    [
      'NODE_UNREACHABLE',
      'NODES_UNREACHABLE',
      'STOPPING',
      'TLS_KEY_MISMATCH',
      'SESSION_MISMATCH',
      'QUORUM_BELOW_THRESHOLD',
    ],
    { status: 500, fate: 'not-carried-out' },
  ),
  ...row('KeyUnavailableException', ['QUORUM_UNREACHABLE', 'QUORUM_SHARE_INVALID'], { status: 500 }),
  ...row(
    'KMSInvalidStateException',
    ['ANSWER_LOST', 'ANSWER_TIMEOUT', 'ANSWER_MALFORMED', 'LOG_CLOSED', 'LOG_NOT_COSIGNED'],
    {
      fate: 'unknown',
    },
  ),
  ...row('DisabledException', ['KEY_DISABLED']),
  ...row('KMSInvalidStateException', ['KEY_PENDING_DELETION', 'KEY_NOT_PENDING_DELETION']),
  ...row('LimitExceededException', ['POOL_FULL', 'POOL_METADATA_FULL', 'STORE_FULL']),
  ...row('AlreadyExistsException', ['ALIAS_EXISTS']),
  ...row('IncorrectKeyException', ['CIPHERTEXT_OTHER_KEY']),
  ...row('InvalidCiphertextException', ['DECRYPTION_FAILED']),
  ...row('InvalidKeyUsageException', ['USAGE_MISMATCH', 'ALGORITHM_MISMATCH', 'PAYLOAD_MISMATCH']),
  ...row('ValidationException', [
    'ALIAS_MISMATCH',
    'DELETION_TOO_SOON',
    'PLAINTEXT_TOO_LONG',
    'CONTEXT_UNEXPECTED',
    'PEER_KEY_INVALID',
    'REQUEST_MALFORMED',
    'REQUEST_TOO_LARGE',
  ]),
]);

/** What a failure says of the request. */
export function fateOf(error: unknown): Fate {
  return toKmsRefusal(error).fate;
}

/** Finds AWS's error for a failure of a node or of the way to it; errors that are AWS's already stay as they are. */
export function toKmsRefusal(error: unknown): KmsRefusal {
  if (error instanceof KmsRefusal) return error;
  const code = errorCode(error);
  if (error instanceof AwsServiceError) {
    return Object.assign(new KmsRefusal(error.code, error.status, 'refused', error.code, ''), {
      message: error.message,
    });
  }
  // A node that does not prove what it is was sent nothing.
  if (error instanceof AttestationError || isIdentity(code))
    return new KmsRefusal(
      'KeyUnavailableException',
      500,
      'refused',
      code,
      'the node is not the one that is believed',
    );
  const found = TABLE.get(code);
  const words = describe(error, found?.fate);
  if (found !== undefined)
    return new KmsRefusal(found.name, found.status ?? 400, found.fate ?? 'refused', code, words);
  return new KmsRefusal('KMSInternalException', 500, 'refused', code, words);
}

function isIdentity(code: string): boolean {
  return code === 'BINDING_MALFORMED' || code === 'CONFIGURATION_ROLLED_BACK';
}

function describe(error: unknown, fate: Fate | undefined): string {
  if (fate === 'unknown') return 'whether the request was carried out is not known; nobody has repeated it';
  if (fate === 'not-carried-out') return `${nodesOf(error)}the request was not carried out`;
  if (error instanceof ClientError && error.code === 'APPROVALS_NEEDED')
    return `the request waits for approvals under the id ${String(error.details['id'])}`;
  return error instanceof NodeRefusal ? reasonsOf(error.receipt) : '';
}

function nodesOf(error: unknown): string {
  if (!(error instanceof ClientError) || error.code !== 'NODES_UNREACHABLE') return '';
  const codes = Object.values((error.details['nodes'] ?? {}) as Record<string, string>);
  return `${[...new Set(codes)].join(', ')}; `;
}

/** Words of the rules in the receipt of a refusal, unverified. */
function reasonsOf(receipt: Receipt | undefined): string {
  if (receipt === undefined) return '';
  try {
    const { entry } = unsafeParseReceipt(new TextEncoder().encode(JSON.stringify(receipt)));
    const { predicate } = parseEntry(entry);
    if (!('reasons' in predicate)) return '';
    return predicate.reasons
      .map(({ rule, words }) => (rule === null ? words : `${rule}: ${words}`))
      .join('; ');
  } catch {
    return '';
  }
}
