import * as z from 'zod';
import { decodeBase58 } from '../../../policy/transactions/tezos/index.ts';
import { identifierSchema, listenSchema } from '../config.ts';
import { KEY_PREFIXES } from './account.ts';

/** The most keys, and the most public keys of clients, that one door names. */
const MAX_NAMES = 256;

/** Public key of a client, as `octez-client show address` prints it. */
const publicKey = z
  .string()
  .max(100)
  .refine(
    (text) => decodeBase58(text, KEY_PREFIXES) !== undefined,
    'expected a public key: edpk, sppk, p2pk, BLpk',
  );
const publicKeys = z
  .array(publicKey)
  .min(1)
  .max(MAX_NAMES)
  .refine((list) => new Set(list).size === list.length, 'expected each public key once');

/** Section `tezos` of gateway.yaml. */
export const tezosSectionSchema = z
  .strictObject({
    listen: listenSchema,
    /** Client of the nodes' configuration in whose name the door asks. */
    client: identifierSchema,
    /** Public keys whose owners may ask for signatures; left out: whoever reaches the door. */
    authorizedKeys: publicKeys.optional(),
    /** Keys of the nodes' configuration that are served; left out: each that Tezos has accounts for. */
    keys: z
      .array(
        z.strictObject({
          id: identifierSchema,
          /** Those of `authorizedKeys` that may ask for this key; left out: all of them. */
          authorizedKeys: publicKeys.optional(),
        }),
      )
      .min(1)
      .max(MAX_NAMES)
      .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'expected each key once')
      .optional(),
    /** Whether proofs of possession of tz4 keys may be asked for; the node's rules have to permit them, too. */
    proofOfPossession: z.boolean().default(false),
  })
  .refine(
    ({ authorizedKeys = [], keys = [] }) =>
      keys.every((key) => (key.authorizedKeys ?? []).every((each) => authorizedKeys.includes(each))),
    'expected the authorizedKeys of a key among those of the door',
  );
export type TezosSection = z.infer<typeof tezosSectionSchema>;
