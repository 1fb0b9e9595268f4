import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { computeContentDigest } from './content-digest.ts';
import { buildSignatureBase, deriveComponents, listComponents, SESSION_FIELD } from './signature-base.ts';
import { serialiseParameters } from './signature-fields.ts';

export interface RequestToSign {
  readonly method: string;
  /** Path and query as in the request line. */
  readonly target: string;
  readonly body?: { readonly bytes: Uint8Array; readonly contentType: string };
}

export interface RequestSigner {
  readonly clientId: string;
  /** The Ed25519 private key of the client. */
  readonly privateKey: KeyObject;
  /** The session that the node's attestation document names. */
  readonly session: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Signs a request and returns the header fields to add to it (SPEC.md of this folder).
 *
 * @throws HttpSignatureError SIGNATURE_MALFORMED for a method or target that cannot be signed
 */
export function signRequest(request: RequestToSign, signer: RequestSigner): Record<string, string> {
  const { body } = request;
  const fields: Record<string, string> = { [SESSION_FIELD]: signer.session };
  if (body !== undefined) {
    fields['content-digest'] = computeContentDigest(body.bytes);
    fields['content-type'] = body.contentType;
  }
  const values: Record<string, string> = { ...deriveComponents(request.method, request.target), ...fields };
  const components = listComponents(body !== undefined);
  const parameters = serialiseParameters(components, {
    created: Math.floor(signer.now / 1000),
    nonce: randomBytes(16).toString('base64url'),
    keyId: signer.clientId,
  });
  const base = buildSignatureBase(
    components.map((name) => [name, values[name] ?? '']),
    parameters,
  );
  const signature = sign(null, base, signer.privateKey).toString('base64');
  return { ...fields, 'signature-input': `sig=${parameters}`, signature: `sig=:${signature}:` };
}
