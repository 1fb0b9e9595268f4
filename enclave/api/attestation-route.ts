import { attestationRequestSchema, type NodeBinding } from '../../shared/api/bodies.ts';
import type { NsmClient } from '../nsm/index.ts';
import { ApiError } from './errors.ts';
import type { Route } from './router.ts';

/** The most requests that wait for the NSM, which serves one call at a time; further ones are refused at once. */
const MAX_WAITING = 64;

/**
 * Creates the route POST /v1/attestation: a fresh document that binds the caller's nonce, the TLS key and the node's
 * other keys. Its callers need no signature.
 */
export function createAttestationRoute(nsm: NsmClient, publicKey: Uint8Array, binding: NodeBinding): Route {
  const userData = Buffer.from(JSON.stringify(binding));
  let waiting = 0;
  return {
    method: 'POST',
    path: /^\/v1\/attestation$/,
    isSigned: false,
    act: async ({ parse }) => {
      const nonce = Buffer.from(parse(attestationRequestSchema).nonce, 'hex');
      if (waiting >= MAX_WAITING)
        throw new ApiError('OVERLOADED', `${MAX_WAITING} requests wait for the NSM already`);
      waiting += 1;
      try {
        const document = await nsm.attest({ nonce, publicKey, userData });
        return { document: Buffer.from(document).toString('base64') };
      } finally {
        waiting -= 1;
      }
    },
  };
}
