/**
 * Longest request for a cosignature that a node takes, in bytes: the checkpoint of a peer and a proof of 63 hashes are
 * below 4 KiB.
 */
export const MAX_PEER_COSIGN_BYTES = 10 * 1024;
