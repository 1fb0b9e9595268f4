import * as z from 'zod';
import { areUnique } from './fields.ts';

const MAX_WITNESSES = 32;
/** The longest time for which a node may sign without its witnesses: one day. */
const MAX_UNCOSIGNED_SECONDS = 86_400;

/** A verifier key of C2SP signed-note: name, key id in hex, and type and key in base64. ML-DSA-44's has 1,780 characters. */
const verifierKey = z
  .string()
  .max(2048)
  .regex(/^[^\s+]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{4,}={0,2}$/u, {
    error: 'expected a verifier key of signed-note: name+id+key',
  });

/** The witnesses of the node's log: `threshold` of `keys` must cosign. */
export const witnessesSchema = z
  .strictObject({
    threshold: z.int().min(1).max(MAX_WITNESSES),
    keys: z.array(verifierKey).min(1).max(MAX_WITNESSES),
    /** For how long the node signs on when its witnesses cosign nothing, in seconds; 0: not at all. */
    maxUncosignedSeconds: z.int().min(0).max(MAX_UNCOSIGNED_SECONDS),
  })
  .refine(({ keys }) => areUnique(keys.map((key) => key.slice(0, key.indexOf('+')))), {
    path: ['keys'],
    error: 'a witness is named twice',
  })
  .refine(({ keys }) => areUnique(keys.map((key) => key.slice(key.indexOf('+', key.indexOf('+') + 1)))), {
    path: ['keys'],
    error: 'a witness key is given twice',
  })
  .refine(({ keys, threshold }) => threshold <= keys.length, {
    path: ['threshold'],
    error: 'greater than the number of keys',
  });
export type Witnesses = z.infer<typeof witnessesSchema>;
