import * as z from 'zod';
import { MAX_PEER_DATAGRAM_BYTES } from '../../../shared/protocol/peers.ts';

/** Longest greeting, in bytes: nobody who has not said who they are makes a parent keep more. */
export const MAX_GREETING_BYTES = 256;
/** Longest frame between two parents, in bytes: a datagram, and what surrounds it. */
export const MAX_LINK_FRAME_BYTES = MAX_PEER_DATAGRAM_BYTES + 128;

const node = z.int().min(1).max(255);

/** Reasons for which a parent turns a greeting down. */
const refusalCode = z.enum(['CERTIFICATE_OTHER_NODE', 'OVERLOADED', 'UNKNOWN_NODE', 'WRONG_NODE']);
export type GreetingRefusal = z.infer<typeof refusalCode>;

/**
 * First frame of either end, the dialling one first: whose parent it is, and whom it takes the other for. Without
 * certificates nothing proves it.
 */
const hello = z.strictObject({
  type: z.literal('hello'),
  protocol: z.literal('holdfast-parents/1'),
  from: node,
  to: node,
});
export type Hello = z.infer<typeof hello>;

/** First frame of the end that dials. */
export const helloSchema = hello;
/** First frame of the end that accepts. */
export const greetingSchema = z.discriminatedUnion('type', [
  hello,
  z.strictObject({ type: z.literal('refused'), code: refusalCode }),
]);
export type Greeting = z.infer<typeof greetingSchema>;

/** Frames after the greetings, either way. */
export const linkFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('datagram'),
    bytes: z.custom<Uint8Array>(
      (value) => value instanceof Uint8Array && value.length > 0 && value.length <= MAX_PEER_DATAGRAM_BYTES,
    ),
  }),
  /** Says that the sender lives. */
  z.strictObject({ type: z.literal('ping') }),
]);

/** Makes the greeting of a node to another. */
export function helloOf(from: number, to: number): Hello {
  return { type: 'hello', protocol: 'holdfast-parents/1', from, to };
}
