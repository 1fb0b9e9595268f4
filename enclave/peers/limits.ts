import { MAX_PEER_BODY_BYTES } from './peer-network.ts';

/** Bytes of a message in one datagram. */
export const MAX_FRAGMENT_BYTES = 32 * 1024;
/** The most fragments on their way at a time, and so the most that wait for one that is missing. */
export const MAX_WINDOW = 32;
/** Longest message: the body of a call, its kind and its number. */
export const MAX_MESSAGE_BYTES = MAX_PEER_BODY_BYTES + 512;
/** The most bytes, and the most fragments, that wait for one node to acknowledge them. */
export const MAX_QUEUED_BYTES = 2 * 1024 * 1024;
export const MAX_QUEUED_FRAGMENTS = 1_024;
/** The most calls to one node without an answer. */
export const MAX_CALLS = 256;
/** The most calls of one node, and the most bytes of their bodies, that are being answered at a time. */
export const MAX_HANDLED_CALLS = 64;
export const MAX_HANDLED_BYTES = 2 * 1024 * 1024;

/** Datagrams of one key; the next ones are encrypted with the key that follows it. */
export const EPOCH_DATAGRAMS = 65_536;
/** Milliseconds of one key. */
export const EPOCH_MS = 600_000;
/** The most keys that a receiver is behind: each costs one encryption for a datagram that may be forged. */
export const MAX_EPOCHS_AHEAD = 16;
/** Milliseconds for which datagrams of the key before are still taken. */
export const EPOCH_GRACE_MS = 30_000;

/** Milliseconds without a datagram after which one is sent that says nothing. */
export const HEARTBEAT_MS = 5_000;
/** Milliseconds without an authentic datagram after which a session is over. */
export const SILENT_MS = 20_000;
/** Milliseconds after which a session is renewed by another handshake, and after which it is over in any case. */
export const RENEW_MS = 3_600_000;
export const MAX_SESSION_MS = 2 * RENEW_MS;
/** Milliseconds for which a session that was renewed still takes datagrams. */
export const SESSION_GRACE_MS = 10_000;

/** Milliseconds for one handshake. */
export const HANDSHAKE_MS = 10_000;
/** Milliseconds after which a message of a handshake is sent again: twice as long each time. */
export const FIRST_RESEND_MS = 300;
export const MAX_RESEND_MS = 2_000;
/** Milliseconds between two handshakes that fail: twice as long each time. */
export const FIRST_RETRY_MS = 500;
export const MAX_RETRY_MS = 30_000;
/** Milliseconds between two handshakes that a node asks for though a session stands. */
export const MIN_ASKED_MS = 2_000;
/** Handshakes that a node of a higher number has begun and not ended. */
export const MAX_PENDING_HANDSHAKES = 4;
/** Messages of one handshake that are tried before it is given up: anybody can send one. */
export const MAX_TRIES = 8;
/** Milliseconds after which one more first message of a node is answered; as many as are pending go at once. */
export const ANSWER_EVERY_MS = 1_000;
/** Oldest document of a handshake, in milliseconds. */
export const MAX_DOCUMENT_AGE_MS = 60_000;
