import { parseQuery, type RequestHead } from './canonical-request.ts';
import { SignatureRefusal } from './refusal.ts';

/** Fields of a signature, of the Authorization header or of a pre-signed URL. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** Day of the scope, YYYYMMDD. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: Uint8Array;
  /** Time in ISO 8601's basic format; absent where a header is missing. */
  readonly timestamp: string | undefined;
  /** Lifetime in seconds of a pre-signed URL; absent for a header. */
  readonly expires?: number;
}

const HEADER =
  /^AWS4-HMAC-SHA256 +Credential=([A-Z0-9]{16,128})\/([0-9]{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request, ?SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*), ?Signature=([0-9a-f]{64})$/;
const CREDENTIAL = /^([A-Z0-9]{16,128})\/([0-9]{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request$/;
const SCOPE = /Credential=[A-Z0-9]{1,128}\/[0-9]{8}\/[a-z0-9-]{1,32}\/([a-z0-9-]{1,32})\/aws4_request/;
const SIGNED_HEADERS = /^[a-z0-9-]+(?:;[a-z0-9-]+)*$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
/** Longest life of a pre-signed URL in seconds, seven days. */
const MAX_EXPIRES = 604_800;

/**
 * Service that a request's signature is for, before anything was verified; undefined where it has none.
 */
export function claimedService({ headers, query }: RequestHead): string | undefined {
  const header = SCOPE.exec(headers.get('authorization') ?? '')?.[1];
  if (header !== undefined) return header;
  const credential = parseQuery(query).find(([name]) => name === 'X-Amz-Credential')?.[1];
  return CREDENTIAL.exec(credential ?? '')?.[4];
}

/**
 * Reads the signature of a request, from its header or its query.
 * @throws SignatureRefusal absent, incomplete
 */
export function parseAuthorization(head: RequestHead): Authorization {
  const header = head.headers.get('authorization');
  if (header !== undefined) return parseHeader(header, head.headers);
  const query = parseQuery(head.query).filter(([name]) => name.startsWith('X-Amz-'));
  if (!query.some(([name]) => name === 'X-Amz-Signature')) {
    throw new SignatureRefusal('absent', 'Missing Authentication Token');
  }
  const fields = new Map(query);
  if (fields.size !== query.length) throw incomplete('A field of the signature is repeated.');
  return parseUrl(fields);
}

function parseHeader(header: string, headers: ReadonlyMap<string, string>): Authorization {
  const [, accessKeyId, date, region, service, names, signature] = HEADER.exec(header) ?? [];
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    names === undefined ||
    signature === undefined
  ) {
    throw incomplete('Authorization header is not a complete AWS4-HMAC-SHA256 one.');
  }
  return {
    accessKeyId,
    sessionToken: headers.get('x-amz-security-token'),
    date,
    region,
    service,
    signedHeaders: names.split(';'),
    signature: Buffer.from(signature, 'hex'),
    timestamp: headers.get('x-amz-date'),
  };
}

function parseUrl(fields: ReadonlyMap<string, string>): Authorization {
  const [, accessKeyId, date, region, service] = CREDENTIAL.exec(fields.get('X-Amz-Credential') ?? '') ?? [];
  const names = fields.get('X-Amz-SignedHeaders') ?? '';
  const signature = fields.get('X-Amz-Signature') ?? '';
  const expires = Number(fields.get('X-Amz-Expires'));
  if (
    fields.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256' ||
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    !SIGNED_HEADERS.test(names) ||
    !SIGNATURE.test(signature)
  ) {
    throw incomplete('Query-string authentication requires the parameters of AWS4-HMAC-SHA256.');
  }
  if (!Number.isSafeInteger(expires) || expires < 1 || expires > MAX_EXPIRES) {
    throw incomplete('X-Amz-Expires must be between 1 and 604800 seconds.');
  }
  return {
    accessKeyId,
    sessionToken: fields.get('X-Amz-Security-Token'),
    date,
    region,
    service,
    signedHeaders: names.split(';'),
    signature: Buffer.from(signature, 'hex'),
    timestamp: fields.get('X-Amz-Date'),
    expires,
  };
}

/** Creates the refusal of a signature whose own fields are wrong. */
export function incomplete(message: string): SignatureRefusal {
  return new SignatureRefusal('incomplete', message);
}
