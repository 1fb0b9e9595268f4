import { sha256 } from '@noble/hashes/sha2.js';
import type { Algorithm } from '../algorithms.ts';
import { type CanonicalJson, encodeCanonicalJson } from '../json/index.ts';
import { describePoolAction, type PoolAction } from './pool-digest.ts';
import type { Payload } from './payloads.ts';

/** What a ceremony is ordered to do beside its operation and key, as in the body of the request (shared/api/quorum.ts). */
export interface DigestedOrder {
  readonly participants?: readonly number[] | undefined;
  readonly threshold?: number | undefined;
  readonly node?: number | undefined;
  /** Hex. */
  readonly publicKey?: string | undefined;
}

/** A request as its digest covers it; `order` and `payload` are absent where the operation has none. */
export interface DigestedRequest {
  /** The operation of the policy: `sign`, `import-share`, `reshare`. */
  readonly operation: string;
  readonly client: string;
  /** The id of a key; of the pool, where a key is made. */
  readonly key: string;
  /** null where a key of a pool is made or changed. */
  readonly algorithm: Algorithm | null;
  readonly order?: DigestedOrder;
  readonly payload?: Payload;
  /** Path to the child of the key that signs; absent where the key itself does. */
  readonly path?: string | undefined;
  /** What a key of a pool is asked for. */
  readonly action?: PoolAction | { readonly [member: string]: CanonicalJson };
}

/**
 * Encodes a request as its digest covers it: canonical JSON of `{algorithm, client, key, operation, order, payload}`, with
 * `path` where a child of the key signs and `action` where a key of a pool is asked for something else.
 */
export function encodeRequest({
  operation,
  client,
  key,
  algorithm,
  order,
  payload,
  path,
  action,
}: DigestedRequest): Uint8Array<ArrayBuffer> {
  const request = {
    operation,
    client,
    key,
    algorithm,
    ...(order && { order: { ...order } }),
    ...(payload && { payload: { ...payload } }),
    ...(path !== undefined && { path }),
    ...(action && { action: describePoolAction(action) }),
  };
  return encodeCanonicalJson(request);
}

/**
 * Computes the digest that receipts and approvals name a request by: SHA-256 of the canonical JSON (RFC 8785) of
 * `{algorithm, client, key, operation, order, payload}`, with `path` where a child of the key signs and `action` where a
 * key of a pool is asked for something else. Whoever has the request can compute it.
 */
export function digestRequest(request: DigestedRequest): Uint8Array<ArrayBuffer> {
  return sha256(encodeRequest(request));
}
