import * as z from 'zod';
import { PARENT_PORT } from '../transport/ports.ts';

/** Highest number of a node, as in manifests. */
const MAX_NODE = 255;
/** The most peers of one node. */
const MAX_PEERS = 31;
/** Longest datagram from node to node, in bytes: the longest Noise message. */
export const MAX_PEER_DATAGRAM_BYTES = 65_535;
/** Longest frame of the service, either way, in bytes: a datagram, and what names it. */
const MAX_PEER_FRAME_BYTES = MAX_PEER_DATAGRAM_BYTES + 128;
/** Milliseconds for a whole frame, from its first byte on. */
const PEER_FRAME_TIMEOUT_MS = 10_000;

const node = z.int().min(1).max(MAX_NODE);
const datagram = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length > 0 && value.length <= MAX_PEER_DATAGRAM_BYTES,
);
const milliseconds = z.int().min(0);

/** What a node says of one peer, for people: nothing in the parent depends on it. */
const peerStateSchema = z.strictObject({
  node,
  /** `connected`: a session stands. `refused`: the last attempt ended with `code`. `connecting`: neither yet. */
  state: z.enum(['connected', 'connecting', 'refused']),
  /** Why the last attempt, or the last session, ended; null where none has. */
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{1,63}$/)
    .nullable(),
  /** Milliseconds since 1970 at which the state began. */
  since: milliseconds,
  /** Milliseconds since 1970 of the last authentic message; null before the first. */
  lastSeen: milliseconds.nullable(),
});

/** Frames of the enclave. The first of a connection is `open`. */
export const peerEnclaveFrameSchema = z.discriminatedUnion('type', [
  /** Names the node, and those that it will send to. */
  z.strictObject({
    type: z.literal('open'),
    node,
    peers: z.array(node).max(MAX_PEERS),
  }),
  /** A datagram for another node. The parent may lose, repeat, delay and reorder it. */
  z.strictObject({ type: z.literal('send'), to: node, bytes: datagram }),
  /** Sent when a state has changed, once a second at most. */
  z.strictObject({ type: z.literal('status'), peers: z.array(peerStateSchema).max(MAX_PEERS) }),
]);
export type PeerEnclaveFrame = z.infer<typeof peerEnclaveFrameSchema>;

/** Frames of the parent: a datagram that came from the parent of another node, as far as anybody can say. */
export const peerParentFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('deliver'), from: node, bytes: datagram }),
]);
export type PeerParentFrame = z.infer<typeof peerParentFrameSchema>;

/**
 * Where an enclave exchanges datagrams with other nodes: see SPEC.md. Frames go both ways at any time; no frame answers
 * another, and a connection that breaks is opened anew.
 */
export const PEER_SERVICE = Object.freeze({
  name: 'peers',
  port: PARENT_PORT.peers,
  maxFrameBytes: MAX_PEER_FRAME_BYTES,
  frameTimeoutMs: PEER_FRAME_TIMEOUT_MS,
  enclaveFrameSchema: peerEnclaveFrameSchema,
  parentFrameSchema: peerParentFrameSchema,
});
