import { createHash } from 'node:crypto';
import { type RequestHead } from './canonical-request.ts';
import { SignatureRefusal } from './refusal.ts';
import type { SigningCredential } from './signing-key.ts';
import { type SignatureScope, type VerifiedSignature, verifyHead } from './verification.ts';

/** Request whose body is in memory. A POST to `/` where neither method nor path is named. */
export interface SignedRequest extends Partial<RequestHead> {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/**
 * Authenticates a request and its body by Signature Version 4 and returns the credential that signed them.
 * @throws SignatureRefusal, an AwsServiceError MissingAuthenticationTokenException, IncompleteSignatureException,
 *   UnrecognizedClientException, ExpiredTokenException, InvalidSignatureException
 */
export function verifySignature<Credential extends SigningCredential>(
  { method = 'POST', path = '/', query = '', headers, body }: SignedRequest,
  lookup: (accessKeyId: string) => Credential | undefined,
  scope: SignatureScope,
): VerifiedSignature<Credential> {
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const verified = verifyHead({ method, path, query, headers }, payloadHash, lookup, scope);
  const claimed = headers.get('x-amz-content-sha256');
  if (claimed !== undefined && claimed !== payloadHash) {
    throw new SignatureRefusal(
      'payload',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return verified;
}
