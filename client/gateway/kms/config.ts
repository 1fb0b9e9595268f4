import * as z from 'zod';
import { identifierSchema, listenSchema, secretSchema } from '../config.ts';

const MAX_CREDENTIALS = 64;

/** Section `kms` of gateway.yaml. */
export const kmsSectionSchema = z.strictObject({
  listen: listenSchema,
  /** How long the door asks again by itself while nothing is carried out, as while a node restarts. */
  waitSeconds: z.int().min(0).max(60).default(20),
  /** Region and account of the keys' ARNs; clients sign their requests for this Region. */
  region: z.string().regex(/^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$/),
  account: z.string().regex(/^[0-9]{12}$/),
  /** Credentials of the door's own, none of AWS's: each stands for one client of the nodes' configuration. */
  credentials: z
    .array(
      z.strictObject({
        accessKeyId: z.string().regex(/^[A-Z0-9]{16,128}$/),
        secretAccessKey: secretSchema,
        client: identifierSchema,
        /** Pool in which CreateKey makes keys; left out: the credential makes none. */
        pool: identifierSchema.optional(),
      }),
    )
    .min(1)
    .max(MAX_CREDENTIALS)
    .refine(
      (list) => new Set(list.map(({ accessKeyId }) => accessKeyId)).size === list.length,
      'expected each accessKeyId once',
    ),
});
export type KmsSection = z.infer<typeof kmsSectionSchema>;
