import * as z from 'zod';
import { areUnique } from './fields.ts';

const MAX_WITNESSES = 32;
/** The longest time for which a node may sign without its witnesses: one day. */
const MAX_UNCOSIGNED_SECONDS = 86_400;

/** For how long a node signs on when witnesses cosign nothing, in seconds; 0: not at all. */
export const maxUncosignedSchema = z.int().min(0).max(MAX_UNCOSIGNED_SECONDS);

/** A verifier key of C2SP signed-note: name, key id in hex, and type and key in base64. ML-DSA-44's has 1,780 characters. */
export const verifierKeySchema = z
  .string()
  .max(2048)
  .regex(/^[^\s+]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{4,}={0,2}$/u, {
    error: 'expected a verifier key of signed-note: name+id+key',
  });

/** Returns the name in a verifier key. */
export const verifierKeyName = (key: string): string => key.slice(0, key.indexOf('+'));
/** Returns type and public key of a verifier key, in base64. */
export const verifierKeyBytes = (key: string): string =>
  key.slice(key.indexOf('+', key.indexOf('+') + 1) + 1);

/**
 * The outside witnesses of the node's log: `threshold` of `keys` must cosign. The other nodes of a quorum are a group of
 * their own (`quorum.witnesses`), and both groups must cosign where both are named.
 */
export const witnessesSchema = z
  .strictObject({
    threshold: z.int().min(1).max(MAX_WITNESSES),
    keys: z.array(verifierKeySchema).min(1).max(MAX_WITNESSES),
    /** For how long the node signs on when its witnesses cosign nothing, in seconds; 0: not at all. */
    maxUncosignedSeconds: maxUncosignedSchema,
  })
  .refine(({ keys }) => areUnique(keys.map(verifierKeyName)), {
    path: ['keys'],
    error: 'a witness is named twice',
  })
  .refine(({ keys }) => areUnique(keys.map(verifierKeyBytes)), {
    path: ['keys'],
    error: 'a witness key is given twice',
  })
  .refine(({ keys, threshold }) => threshold <= keys.length, {
    path: ['threshold'],
    error: 'greater than the number of keys',
  });
export type Witnesses = z.infer<typeof witnessesSchema>;
