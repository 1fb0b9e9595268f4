import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AwsServiceError } from './errors.ts';

/** The credential that signatures of one access key are verified with. */
export interface SigningCredential {
  readonly secretAccessKey: string;
  /** Session token of temporary credentials, which each request must carry; absent for permanent ones. */
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The parts of a request that its signature covers. Header names are lower-case, values joined as RFC 9110 says. */
interface SignedRequest {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

interface SignatureScope {
  readonly service: string;
  /** The region of the endpoint, when its name says one. */
  readonly region?: string;
  readonly now: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Milliseconds by which a request's time may differ from the server's, either way: five minutes, as with AWS. */
const MAX_SKEW = 300_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})\/([0-9]{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request, ?SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*), ?Signature=([0-9a-f]{64})$/;
const TIMESTAMP = /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/;

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: Uint8Array;
}

/**
 * Authenticates a POST to `/` by its Signature Version 4 and returns the credential that signed it and its region.
 * Source: IAM User Guide, "Create a signed AWS API request".
 * @throws AwsServiceError MissingAuthenticationTokenException, IncompleteSignatureException,
 *   UnrecognizedClientException, ExpiredTokenException, InvalidSignatureException
 */
export function verifySignature<Credential extends SigningCredential>(
  request: SignedRequest,
  lookup: (accessKeyId: string) => Credential | undefined,
  scope: SignatureScope,
): { readonly credential: Credential; readonly region: string } {
  const authorization = parseAuthorization(request.headers);
  assertSignedHeaders(authorization, request.headers);
  const credential = findCredential(authorization, request.headers, lookup, scope.now);
  const timestamp = assertScope(authorization, request.headers, scope);
  const expected = computeSignature(credential, timestamp, authorization, request);
  if (!timingSafeEqual(expected, authorization.signature)) {
    throw invalidSignature(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return { credential, region: authorization.region };
}

function parseAuthorization(headers: ReadonlyMap<string, string>): Authorization {
  const header = headers.get('authorization');
  if (header === undefined) {
    throw new AwsServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const [, accessKeyId, date, region, service, names, signature] = AUTHORIZATION.exec(header) ?? [];
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
  const signedHeaders = names.split(';');
  return { accessKeyId, date, region, service, signedHeaders, signature: Buffer.from(signature, 'hex') };
}

/** Asserts that the host and every x-amz- header are signed, or somebody between could change them. */
function assertSignedHeaders({ signedHeaders }: Authorization, headers: ReadonlyMap<string, string>): void {
  const sorted = [...new Set(signedHeaders)].sort();
  if (sorted.join(';') !== signedHeaders.join(';')) throw incomplete('SignedHeaders are not in order.');
  const required = ['host', ...[...headers.keys()].filter((name) => name.startsWith('x-amz-'))];
  const missing = required.find((name) => !signedHeaders.includes(name));
  if (missing !== undefined) throw invalidSignature(`'${missing}' must be a signed header.`);
  const absent = signedHeaders.find((name) => !headers.has(name));
  if (absent === 'x-amz-date') throw incomplete("Authorization header requires existence of 'X-Amz-Date'.");
  if (absent !== undefined)
    throw invalidSignature(`'${absent}' is a signed header, and is not in the request.`);
  if (!headers.has('x-amz-date'))
    throw incomplete("Authorization header requires existence of 'X-Amz-Date'.");
}

function findCredential<Credential extends SigningCredential>(
  { accessKeyId }: Authorization,
  headers: ReadonlyMap<string, string>,
  lookup: (accessKeyId: string) => Credential | undefined,
  now: number,
): Credential {
  const credential = lookup(accessKeyId);
  if (credential === undefined || !isEqual(headers.get('x-amz-security-token'), credential.sessionToken)) {
    throw new AwsServiceError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  if (credential.expiration !== undefined && credential.expiration.getTime() <= now) {
    throw new AwsServiceError(
      'ExpiredTokenException',
      'The security token included in the request is expired',
    );
  }
  return credential;
}

function assertScope(
  { date, region, service }: Authorization,
  headers: ReadonlyMap<string, string>,
  scope: SignatureScope,
): string {
  const timestamp = headers.get('x-amz-date') ?? '';
  const parts = TIMESTAMP.exec(timestamp);
  if (parts === null) throw incomplete('Date must be in ISO-8601 basic format.');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  if (!timestamp.startsWith(date))
    throw invalidSignature('Date in Credential scope does not match YYYYMMDD.');
  if (Math.abs(time - scope.now) > MAX_SKEW) {
    const which = time < scope.now ? 'expired' : 'not yet current';
    throw invalidSignature(`Signature ${which}: ${timestamp} is more than 5 min. from the server's time.`);
  }
  if (service !== scope.service) {
    throw invalidSignature(`Credential should be scoped to correct service: '${scope.service}'.`);
  }
  if (scope.region !== undefined && region !== scope.region) {
    throw invalidSignature('Credential should be scoped to a valid region.');
  }
  return timestamp;
}

/** The last signing key that was derived of each credential: one serves for all requests of a day. */
const signingKeys = new WeakMap<SigningCredential, { readonly name: string; readonly key: Uint8Array }>();

function deriveSigningKey(
  credential: SigningCredential,
  { date, region, service }: Authorization,
): Uint8Array {
  const { secretAccessKey } = credential;
  const name = `${date}/${region}/${service}/${secretAccessKey}`;
  const known = signingKeys.get(credential);
  if (known?.name === name) return known.key;
  let key = createHmac('sha256', `AWS4${secretAccessKey}`).update(date).digest();
  for (const part of [region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  signingKeys.set(credential, { name, key });
  return key;
}

function computeSignature(
  credential: SigningCredential,
  timestamp: string,
  authorization: Authorization,
  { headers, body }: SignedRequest,
): Uint8Array {
  const { date, region, service, signedHeaders } = authorization;
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const claimed = headers.get('x-amz-content-sha256');
  if (claimed !== undefined && claimed !== payloadHash) {
    throw invalidSignature("The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  const lines = signedHeaders.map((name) => `${name}:${canonicalValue(headers.get(name) ?? '')}\n`).join('');
  const canonical = ['POST', '/', '', lines, signedHeaders.join(';'), payloadHash].join('\n');
  const credentialScope = `${date}/${region}/${service}/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  return createHmac('sha256', deriveSigningKey(credential, authorization))
    .update([ALGORITHM, timestamp, credentialScope, digest].join('\n'))
    .digest();
}

function canonicalValue(value: string): string {
  return value.trim().replace(/ +/g, ' ');
}

function isEqual(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const [a, b] = [left, right].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function incomplete(message: string): AwsServiceError {
  return new AwsServiceError('IncompleteSignatureException', message);
}

function invalidSignature(message: string): AwsServiceError {
  return new AwsServiceError('InvalidSignatureException', message);
}
