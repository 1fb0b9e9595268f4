/** Upper bounds of everything that crosses the control connection, in bytes unless named otherwise. */
export const MAX_MANIFEST_BYTES = 16 * 1024;
export const MAX_CONFIGURATION_BYTES = 1024 * 1024;
export const MAX_SECRET_BLOB_BYTES = 8 * 1024;
export const MAX_RECORD_BYTES = 256 * 1024;
export const MAX_RECORDS = 4096;
/** All keys that a configuration may name, the root record, and the password's ciphertext: a store is made in one commit. */
export const MAX_WRITES = 1024 + 2;
export const MAX_CREDENTIAL_BYTES = 8 * 1024;
export const MAX_ADMISSION_NONCE_BYTES = 64;
export const MAX_ATTESTATION_BYTES = 16 * 1024;
/** Of one frame, either way. It also bounds what one commit may carry in all. */
export const MAX_CONTROL_FRAME_BYTES = 4 * 1024 * 1024;
