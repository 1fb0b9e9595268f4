/** The most requests that wait, or whose result is kept. */
export const MAX_PENDING = 1024;
/** The most of them of one client: a client can keep itself out, and others only together with others. */
export const MAX_PENDING_PER_CLIENT = 64;
/** The most bytes of all of them together. */
export const MAX_PENDING_BYTES = 32 * 1024 * 1024;
/** The most bytes of new requests that are not sealed yet, so that they fit into one commit. */
export const MAX_UNSEALED_BYTES = 1024 * 1024;
/** The most approvals of one request: an entry of the log names them all. */
export const MAX_VOTES = 32;
/** Longest result that is kept for a client that did not get it, in bytes. */
export const MAX_RESULT_BYTES = 192 * 1024;
