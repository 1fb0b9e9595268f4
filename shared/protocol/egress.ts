import * as z from 'zod';

/** Longest frame, in bytes, of the two that open a connection: one each way. */
export const MAX_EGRESS_FRAME_BYTES = 512;

/**
 * The host that the enclave wants to reach: the first frame on a connection to `PARENT_PORT.egress`.
 * After an `ok` the stream carries the bytes of that TCP connection, both ways, as they are.
 */
export const egressOpenSchema = z.strictObject({
  /** A DNS name, never an address: the parent's allow-list has names. */
  host: z
    .string()
    .regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/),
  port: z.int().min(1).max(65_535),
});
export type EgressOpen = z.infer<typeof egressOpenSchema>;

export const egressErrorCodeSchema = z.enum([
  'ADDRESS_FORBIDDEN',
  'BAD_REQUEST',
  'CONNECT_FAILED',
  'CONNECT_TIMEOUT',
  'DNS_FAILED',
  'OVERLOADED',
  'TARGET_FORBIDDEN',
  'TOO_MANY_UNNAMED',
]);
export type EgressErrorCode = z.infer<typeof egressErrorCodeSchema>;

export const egressResponseSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ok') }),
  z.strictObject({ type: z.literal('error'), code: egressErrorCodeSchema }),
]);
export type EgressResponse = z.infer<typeof egressResponseSchema>;
