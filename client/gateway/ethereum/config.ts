import * as z from 'zod';
import { identifierSchema, listenSchema } from '../config.ts';

/** The most keys that one door names. */
const MAX_KEYS = 256;

/** Section `ethereum` of gateway.yaml. */
export const ethereumSectionSchema = z.strictObject({
  listen: listenSchema,
  /** Client of the nodes' configuration in whose name the door asks. */
  client: identifierSchema,
  /** Keys of the nodes' configuration that are served; left out: each that Ethereum has accounts for. */
  keys: z
    .array(identifierSchema)
    .min(1)
    .max(MAX_KEYS)
    .refine((list) => new Set(list).size === list.length, 'expected each key once')
    .optional(),
  /** What `eth_chainId` answers: libraries ask before they sign. Left out: the method is not there. */
  chainId: z.int().min(1).optional(),
});
export type EthereumSection = z.infer<typeof ethereumSectionSchema>;
