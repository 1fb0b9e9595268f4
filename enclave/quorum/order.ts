import type * as z from 'zod';
import {
  type GenerateRequest,
  generateRequestSchema,
  type ImportKeyRequest,
  importKeyRequestSchema,
  refreshRequestSchema,
  type RepairRequest,
  repairRequestSchema,
  type ReshareRequest,
  reshareRequestSchema,
} from '../../shared/api/quorum.ts';
import type { DigestedOrder } from '../../shared/api/request-digest.ts';

/** What a client asks a ceremony for; the members are those of the bodies in shared/api/quorum.ts. */
export type CeremonyOrder =
  | ({ readonly kind: 'generate' } & GenerateRequest)
  | ({ readonly kind: 'import-key'; readonly key: string } & ImportKeyRequest)
  | { readonly kind: 'refresh'; readonly key: string }
  | ({ readonly kind: 'reshare'; readonly key: string } & ReshareRequest)
  | ({ readonly kind: 'repair'; readonly key: string } & RepairRequest);

/** Target of a request, by POST, that orders a ceremony; captures the key and the verb, neither where a key is made. */
export const ORDER_TARGET =
  /^\/v1\/quorum\/keys(?:\/([a-z0-9][a-z0-9._-]{0,62})\/(import|refresh|reshare|repair))?$/;

/**
 * Reads what a request orders. The node that leads and those that take part read it by this alone.
 *
 * @param captures of {@link ORDER_TARGET} in the request's target
 * @param parse parses the body by a schema, or throws
 */
export function readOrder(
  [key = '', verb]: readonly (string | undefined)[],
  parse: <T>(schema: z.ZodType<T>) => T,
): CeremonyOrder {
  switch (verb) {
    case undefined:
      return { kind: 'generate', ...parse(generateRequestSchema) };
    case 'import':
      return { kind: 'import-key', key, ...parse(importKeyRequestSchema) };
    case 'refresh':
      parse(refreshRequestSchema);
      return { kind: 'refresh', key };
    case 'reshare':
      return { kind: 'reshare', key, ...parse(reshareRequestSchema) };
    case 'repair':
      return { kind: 'repair', key, ...parse(repairRequestSchema) };
    default:
      throw new RangeError('expected captures of the target of an order');
  }
}

/** Picks what the digest of an order covers beside its kind and key; undefined where there is nothing. */
export function digestedOrder(order: CeremonyOrder): DigestedOrder | undefined {
  switch (order.kind) {
    case 'reshare':
      return { participants: order.participants, threshold: order.threshold };
    case 'repair':
      return { node: order.node };
    case 'import-key':
      return { publicKey: order.publicKey };
    case 'generate':
    case 'refresh':
    default:
      return undefined;
  }
}
