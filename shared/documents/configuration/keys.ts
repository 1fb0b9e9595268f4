import * as z from 'zod';
import { isShareType, keyTypeSchema } from '../../algorithms.ts';
import { hex, identifier, sha384, uniqueList } from './fields.ts';
import { areNetworksOfOneKey, network } from './chains.ts';

const MAX_NETWORKS = 64;

const keyEntry = z.strictObject({
  id: identifier,
  type: keyTypeSchema,
  publicKey: hex(128).optional(),
  /**
   * For a share: SHA-384 of its group's commitments in hex (shared/frost/SPEC.md), as the dealer prints it. Without
   * `commitments`, whoever may import the share chooses its group, or with `publicKey` everything of the group but the
   * public key.
   */
  commitments: sha384.optional(),
  /**
   * For a share of a taproot key that had a chain code (BIP-32) where it was imported from: 32 bytes in hex, so that its
   * children stay what they were. Children of other keys are derived with the chain code of BIP-328.
   */
  chainCode: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

const NO_SHARE = { path: ['commitments'], error: 'only a share has commitments' };
const NO_CHILDREN = { path: ['chainCode'], error: 'only a key of frost-secp256k1-taproot has children' };
const hasChainCodeOfChildren = ({ type, chainCode }: z.infer<typeof keyEntry>) =>
  chainCode === undefined || type === 'frost-secp256k1-taproot';
const hasCommitmentsOfAShare = ({ type, commitments }: z.infer<typeof keyEntry>) =>
  commitments === undefined || isShareType(type);

/** A key that the node holds. A key with `publicKey` must exist already and be that one; it is never made anew. */
export const keyEntrySchema = keyEntry
  .refine(hasCommitmentsOfAShare, NO_SHARE)
  .refine(hasChainCodeOfChildren, NO_CHILDREN);
export type KeyEntry = z.infer<typeof keyEntrySchema>;

/** A key of format 2, with the networks (CAIP-2) whose transactions it signs; none where it signs blind alone. */
export const networkKeySchema = keyEntry
  .extend({
    networks: uniqueList(network, MAX_NETWORKS).refine(areNetworksOfOneKey, {
      error: 'at most one network of each namespace but eip155: such a transaction does not name its network',
    }),
  })
  .refine(hasCommitmentsOfAShare, NO_SHARE)
  .refine(hasChainCodeOfChildren, NO_CHILDREN);
export type NetworkKey = z.infer<typeof networkKeySchema>;

/**
 * The order to drop a key or share that `keys` no longer names from the store. The public key in the order keeps it
 * from dropping another key that was made under the same id. The order is carried out once, when its configuration
 * comes into force.
 */
export const dropEntrySchema = z.strictObject({ id: identifier, type: keyTypeSchema, publicKey: hex(128) });
export type DropEntry = z.infer<typeof dropEntrySchema>;

/** Names the record of an entry in the store: a key and a share of the same id are two records. */
export const recordOf = ({ id, type }: Pick<KeyEntry, 'id' | 'type'>) =>
  `${isShareType(type) ? 'shares' : 'keys'}/${id}`;
