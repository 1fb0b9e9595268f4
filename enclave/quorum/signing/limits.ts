/** The most signatures of one request: inputs of a transaction. */
export const MAX_SIGNINGS = 512;
/** The most requests in one call to another node. */
export const MAX_BATCHED_REQUESTS = 64;
/** The most signers of one signature. */
export const MAX_SIGNERS = 32;
/** The most votes that are forwarded with a request. */
export const MAX_FORWARDED_VOTES = 32;
/** The most keys whose nonces one call asks for, and the most nonces of one of them. */
export const MAX_COMMIT_KEYS = 64;
export const MAX_COMMIT_COUNT = 512;
/** The most pairs of nonces that wait for one coordinator; the oldest are dropped first. */
export const MAX_NONCES_PER_PEER = 4096;
/** The most lists of commitments that one request is signed with: nodes drop out, and shares turn out to be wrong. */
export const MAX_PACKAGES = 8;
/** The most forwarded requests that a node remembers. */
export const MAX_REMEMBERED = 65_536;
/** Bytes of a certificate that travels with signatures; a larger one is asked for in the ceremonies' calls. */
export const MAX_CERTIFICATE_BYTES = 65_536;
/** Milliseconds for all that a coordinator does for one request: clients wait ten seconds for a response. */
export const SIGNING_TIMEOUT_MS = 8_000;
/** Milliseconds for one call that asks for commitments. */
export const COMMIT_TIMEOUT_MS = 3_000;
