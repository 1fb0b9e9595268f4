import { hash } from 'node:crypto';

/** Computes the Content-Digest field of a body (RFC 9530): SHA-256 alone, so that there is one spelling to compare. */
export function computeContentDigest(body: Uint8Array): string {
  return `sha-256=:${hash('sha256', body, 'base64')}:`;
}
