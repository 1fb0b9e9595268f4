import * as z from 'zod';

/** Lower-case hex of so many bytes. */
export const hexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
export const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
/** Milliseconds since 1970. */
export const time = z.int().min(0).max(8.64e15);
/** SHA-384 of a cold node's manifest, in hex. */
export const manifestDigest = hexOf(48);
/** A checkpoint of the node's log (C2SP tlog-checkpoint), as text. */
export const checkpointText = z.string().min(1).max(4096);
