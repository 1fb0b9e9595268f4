/** The most keys of one ceremony: a scheduled refresh makes batches of them. */
export const MAX_CEREMONY_KEYS = 32;
/** The most nodes of a ceremony. */
export const MAX_CEREMONY_NODES = 32;
/** The most ceremonies that one may leave behind. */
export const MAX_ABANDONED = 4;
/** Longest request of a client that a ceremony carries, in bytes. */
export const MAX_FORWARDED_REQUEST_BYTES = 128 * 1024;
/** Longest attestation document of a participant, in bytes. */
export const MAX_DOCUMENT_BYTES = 16_640;
/** Longest plan, in bytes. */
export const MAX_PLAN_BYTES = 128 * 1024;
/** Longest signed message, in bytes. */
export const MAX_MESSAGE_BYTES = 96 * 1024;
/** Longest certificate, in bytes. */
export const MAX_CERTIFICATE_BYTES = 224 * 1024;
/** Longest transcript, in bytes. */
export const MAX_TRANSCRIPT_BYTES = 4 * 1024 * 1024;
