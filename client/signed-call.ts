import type { z } from 'zod';
import type { NodeIdentity } from './node-identity.ts';

/** A request that the client signs, and the shape of its response. */
export interface SignedCall<T> {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly target: string;
  readonly answer: z.ZodType<T>;
  readonly body?: (identity: NodeIdentity) => object;
  /** Maximum length of the response in bytes. Default: 1 MiB. */
  readonly maxAnswerBytes?: number;
}
