import { encodeUri, hashCanonicalRequest } from './canonical-request.ts';
import { deriveSigningKey, formatScope, sign, type SigningCredential } from './signing-key.ts';

export interface PresignOptions {
  readonly method: 'GET' | 'PUT';
  /** Origin of S3: `https://host:port`. */
  readonly origin: string;
  /** Path with a slash before it, not encoded. */
  readonly path: string;
  readonly region: string;
  readonly credential: SigningCredential & { readonly accessKeyId: string };
  /** Lifetime in seconds, at most seven days. */
  readonly expires: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Makes a URL that lets whoever has it do one thing in S3.
 * Source: S3 API Reference, "Authenticating Requests: Using Query Parameters".
 */
export function presignUrl({
  method,
  origin,
  path,
  region,
  credential,
  expires,
  now,
}: PresignOptions): string {
  const { host } = new URL(origin);
  const timestamp = new Date(now).toISOString().replace(/[-:]|\.[0-9]+/g, '');
  const scope = { date: timestamp.slice(0, 8), region, service: 's3' };
  const encoded = path.split('/').map(encodeUri).join('/');
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${credential.accessKeyId}/${formatScope(scope)}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(expires)],
    ...(credential.sessionToken === undefined ? [] : [['X-Amz-Security-Token', credential.sessionToken]]),
    ['X-Amz-SignedHeaders', 'host'],
  ]
    .map(([name = '', value = '']) => `${name}=${encodeUri(value)}`)
    .join('&');
  const digest = hashCanonicalRequest(
    { method, path: encoded, query, headers: new Map([['host', host]]) },
    ['host'],
    'UNSIGNED-PAYLOAD',
    'once',
  );
  const toSign = ['AWS4-HMAC-SHA256', timestamp, formatScope(scope), digest].join('\n');
  const signature = Buffer.from(sign(deriveSigningKey(credential, scope), toSign)).toString('hex');
  return `${origin}${encoded}?${query}&X-Amz-Signature=${signature}`;
}
