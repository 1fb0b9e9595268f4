import * as z from 'zod';

/** An Ed25519 or X25519 public key: 32 bytes in lower-case hex. */
export const publicKey32Schema = z.string().regex(/^[0-9a-f]{64}$/);
