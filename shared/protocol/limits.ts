/** Upper bounds of everything that crosses the control connection, in bytes unless named otherwise. */
export const MAX_MANIFEST_BYTES = 16 * 1024;
export const MAX_CONFIGURATION_BYTES = 1024 * 1024;
export const MAX_SECRET_BLOB_BYTES = 8 * 1024;
export const MAX_RECORD_BYTES = 256 * 1024;
/** The most records of one store: the records that a node may seal and those that index them. */
export const MAX_RECORDS = 32_768;
/** The most records in one response to a list; the next request continues after the last of them. */
export const MAX_LISTED_RECORDS = 4096;
/**
 * The most writes of one commit: all keys that a configuration may name, as many that it orders to drop, the index's
 * nodes above them in a full store, the root record, and the password's ciphertext. Each write is nine items of a frame
 * (MAX_FRAME_ITEMS).
 */
export const MAX_WRITES = 3600;
/** Longest entry of a node's log: tlog-tiles writes the length of an entry in two bytes. */
export const MAX_LOG_ENTRY_BYTES = 65_535;
/** The most entries of one commit: with as many writes as there may be, the items of a frame suffice for them. */
export const MAX_LOG_ENTRIES = 256;
export const MAX_CREDENTIAL_BYTES = 8 * 1024;
export const MAX_ADMISSION_NONCE_BYTES = 64;
export const MAX_ATTESTATION_BYTES = 16 * 1024;
/** Longest frame, either way; also the bound of one commit. */
export const MAX_CONTROL_FRAME_BYTES = 4 * 1024 * 1024;
