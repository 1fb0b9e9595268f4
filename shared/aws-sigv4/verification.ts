import { createHash, timingSafeEqual } from 'node:crypto';
import { type Authorization, incomplete, parseAuthorization } from './authorization.ts';
import { hashCanonicalRequest, type PathEncoding, type RequestHead } from './canonical-request.ts';
import { mismatch, SignatureRefusal } from './refusal.ts';
import { deriveSigningKey, formatScope, sign, type SigningCredential } from './signing-key.ts';

/** What a signature has to be for. */
export interface SignatureScope {
  readonly service: string;
  /** Region of the endpoint, when its name says one. */
  readonly region?: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds by which a request's time may differ; five minutes when left out, as with most services. */
  readonly maxSkew?: number;
  /** `twice` when left out: only S3 differs. */
  readonly pathEncoding?: PathEncoding;
  /** True where a pre-signed URL is taken; false when left out. */
  readonly takesUrls?: boolean;
}

/** A verified signature, and what signatures of chunks and of trailers go on from. */
export interface VerifiedSignature<Credential> {
  readonly credential: Credential;
  readonly region: string;
  /** True for a pre-signed URL. */
  readonly isUrl: boolean;
  readonly timestamp: string;
  /** Scope as it stands in a string to sign. */
  readonly scope: string;
  readonly signingKey: Uint8Array;
  /** Signature in hex. */
  readonly signature: string;
}

/** Milliseconds by which a request's time may differ from the server's, either way: five minutes, as with AWS. */
const MAX_SKEW = 300_000;
const TIMESTAMP = /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/;

/**
 * Authenticates a request by its Signature Version 4, of a header or a pre-signed URL. The body counts by its hash alone:
 * whoever reads it compares what it read.
 *
 * @param payloadHash hash of the body in hex, or the words of S3 that stand in its place
 *
 * Source: IAM User Guide, "Create a signed AWS API request"; S3 API Reference, "Authenticating Requests".
 * @throws SignatureRefusal
 */
export function verifyHead<Credential extends SigningCredential>(
  head: RequestHead,
  payloadHash: string,
  lookup: (accessKeyId: string) => Credential | undefined,
  scope: SignatureScope,
): VerifiedSignature<Credential> {
  const authorization = parseAuthorization(head);
  const isUrl = authorization.expires !== undefined;
  if (isUrl && scope.takesUrls !== true) {
    throw new SignatureRefusal('absent', 'Missing Authentication Token');
  }
  assertSignedHeaders(authorization, head.headers);
  const credential = findCredential(authorization, lookup, scope.now);
  const timestamp = assertScope(authorization, scope);
  const signingKey = deriveSigningKey(credential, authorization);
  const credentialScope = formatScope(authorization);
  const digest = hashCanonicalRequest(
    head,
    authorization.signedHeaders,
    payloadHash,
    scope.pathEncoding ?? 'twice',
  );
  const expected = sign(signingKey, ['AWS4-HMAC-SHA256', timestamp, credentialScope, digest].join('\n'));
  if (!timingSafeEqual(expected, authorization.signature)) throw mismatch();
  return {
    credential,
    region: authorization.region,
    isUrl,
    timestamp,
    scope: credentialScope,
    signingKey,
    signature: Buffer.from(expected).toString('hex'),
  };
}

/** Asserts that the host and every x-amz- header are signed, or somebody between could change them. */
function assertSignedHeaders(
  { signedHeaders, expires }: Authorization,
  headers: ReadonlyMap<string, string>,
): void {
  const sorted = [...new Set(signedHeaders)].sort();
  if (sorted.join(';') !== signedHeaders.join(';')) throw incomplete('SignedHeaders are not in order.');
  const required = ['host', ...[...headers.keys()].filter((name) => name.startsWith('x-amz-'))];
  const missing = required.find((name) => !signedHeaders.includes(name));
  if (missing !== undefined) throw invalid('headers', `'${missing}' must be a signed header.`);
  const absent = signedHeaders.find((name) => !headers.has(name));
  const noDate = "Authorization header requires existence of 'X-Amz-Date'.";
  if (absent === 'x-amz-date') throw incomplete(noDate);
  if (absent !== undefined)
    throw invalid('headers', `'${absent}' is a signed header, and is not in the request.`);
  if (expires === undefined && !headers.has('x-amz-date')) throw incomplete(noDate);
}

function findCredential<Credential extends SigningCredential>(
  { accessKeyId, sessionToken }: Authorization,
  lookup: (accessKeyId: string) => Credential | undefined,
  now: number,
): Credential {
  const credential = lookup(accessKeyId);
  const unrecognised = 'The security token included in the request is invalid.';
  if (credential === undefined) throw invalid('unknown-key', unrecognised);
  if (!isEqual(sessionToken, credential.sessionToken)) throw invalid('wrong-token', unrecognised);
  if (credential.expiration !== undefined && credential.expiration.getTime() <= now) {
    throw invalid('expired-token', 'The security token included in the request is expired');
  }
  return credential;
}

function assertScope(
  { date, region, service, timestamp = '', expires }: Authorization,
  scope: SignatureScope,
): string {
  const parts = TIMESTAMP.exec(timestamp);
  if (parts === null) throw incomplete('Date must be in ISO-8601 basic format.');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  if (!timestamp.startsWith(date))
    throw invalid('mismatch', 'Date in Credential scope does not match YYYYMMDD.');
  const maxSkew = scope.maxSkew ?? MAX_SKEW;
  const lateBy = expires === undefined ? maxSkew : expires * 1000;
  if (time - scope.now > maxSkew || scope.now - time > lateBy) {
    if (expires !== undefined && time < scope.now) throw invalid('expired-url', 'Request has expired');
    const which = time < scope.now ? 'expired' : 'not yet current';
    const minutes = maxSkew / 60_000;
    throw invalid(
      'skewed',
      `Signature ${which}: ${timestamp} is more than ${minutes} min. from the server's time.`,
    );
  }
  if (service !== scope.service) {
    throw invalid('wrong-service', `Credential should be scoped to correct service: '${scope.service}'.`);
  }
  if (scope.region !== undefined && region !== scope.region) {
    throw new SignatureRefusal(
      'wrong-region',
      'Credential should be scoped to a valid region.',
      scope.region,
    );
  }
  return timestamp;
}

function isEqual(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const [a, b] = [left, right].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function invalid(
  problem: ConstructorParameters<typeof SignatureRefusal>[0],
  message: string,
): SignatureRefusal {
  return new SignatureRefusal(problem, message);
}
