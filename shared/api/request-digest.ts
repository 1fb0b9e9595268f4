import { sha256 } from '@noble/hashes/sha2.js';
import type { Algorithm } from '../algorithms.ts';
import { encodeCanonicalJson } from '../json/index.ts';
import type { Payload } from './payloads.ts';

/** A request as its digest covers it; `payload` is absent where the operation has none. */
export interface DigestedRequest {
  /** The operation of the policy: `sign`, `import-share`. */
  readonly operation: string;
  readonly client: string;
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly payload?: Payload;
  /** Path to the child of the key that signs; absent where the key itself does. */
  readonly path?: string | undefined;
}

/**
 * Encodes a request as its digest covers it: canonical JSON of `{algorithm, client, key, operation, payload}`, with `path`
 * where a child of the key signs.
 */
export function encodeRequest({
  operation,
  client,
  key,
  algorithm,
  payload,
  path,
}: DigestedRequest): Uint8Array<ArrayBuffer> {
  const request = {
    operation,
    client,
    key,
    algorithm,
    ...(payload && { payload: { ...payload } }),
    ...(path !== undefined && { path }),
  };
  return encodeCanonicalJson(request);
}

/**
 * Computes the digest that receipts and approvals name a request by: SHA-256 of the canonical JSON (RFC 8785) of
 * `{algorithm, client, key, operation, payload}`, with `path` where a child of the key signs. Whoever has the request can compute it.
 */
export function digestRequest(request: DigestedRequest): Uint8Array<ArrayBuffer> {
  return sha256(encodeRequest(request));
}
