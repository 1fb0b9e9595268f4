import * as z from 'zod';
import { publicKey32Schema } from '../public-key.ts';
import { addressBookSchema, MAX_ADDRESS_BOOKS } from './address-books.ts';
import { approverGroupSchema, approversSchema, clientGroupSchema, MAX_GROUPS } from './approvers.ts';
import { areUnique, entryList, identifier, MAX_ENTRIES, MAX_RULES } from './fields.ts';
import { commonMembers, DROPS_WHAT_IT_NAMES, dropsOnlyOthers } from './format-1.ts';
import { networkKeySchema } from './keys.ts';
import { MAX_POOLS, poolDropSchema, poolSchema } from './pools.ts';
import { type Quorum, quorumSchema } from './quorum.ts';
import { recoverySchema } from './recovery.ts';
import { checkReferences } from './references.ts';
import { ruleSchema } from './rules.ts';
import { verifierKeyBytes, verifierKeyName, type Witnesses, witnessesSchema } from './witnesses.ts';

export const CONFIGURATION_FORMAT_2 = 'holdfast-configuration/2';

/** A client, and the approver who stands behind it, who never approves its requests; null: none of the approvers. */
export const clientSchema = z.strictObject({
  id: identifier,
  publicKey: publicKey32Schema,
  person: identifier.nullable(),
});
export type Client = z.infer<typeof clientSchema>;

/** A configuration of format 2: rules over what transactions do, approvers, destinations, witnesses. */
export const configuration2Schema = z
  .strictObject({
    format: z.literal(CONFIGURATION_FORMAT_2),
    ...commonMembers,
    clients: entryList(clientSchema, MAX_ENTRIES).refine(
      (clients) => areUnique(clients.map(({ publicKey }) => publicKey)),
      { error: 'a public key is given twice' },
    ),
    clientGroups: entryList(clientGroupSchema, MAX_GROUPS),
    keys: entryList(networkKeySchema, MAX_ENTRIES),
    approvers: approversSchema,
    approverGroups: entryList(approverGroupSchema, MAX_GROUPS),
    addressBooks: entryList(addressBookSchema, MAX_ADDRESS_BOOKS),
    /** null: the log has no witnesses. */
    witnesses: witnessesSchema.nullable(),
    /** Left out: the node is in no quorum. */
    quorum: quorumSchema.optional(),
    /** Left out: no client has the node make keys. */
    pools: entryList(poolSchema, MAX_POOLS).optional(),
    /** The order to delete keys that clients have had the node make. */
    dropPoolKeys: poolDropSchema.optional(),
    /** Left out: no key needs a backup. */
    recovery: recoverySchema.optional(),
    rules: entryList(ruleSchema, MAX_RULES),
  })
  .refine(dropsOnlyOthers, DROPS_WHAT_IT_NAMES)
  .refine(({ witnesses, quorum }) => !shareWitness(witnesses, quorum), {
    path: ['quorum', 'peers'],
    error: 'a peer is an outside witness too',
  })
  .superRefine(checkReferences);
export type ConfigurationDocument2 = z.infer<typeof configuration2Schema>;

/** Tells whether one witness, by name or by key, is in both groups: it would be counted in each. */
function shareWitness(witnesses: Witnesses | null, quorum: Quorum | undefined): boolean {
  const outside = witnesses?.keys ?? [];
  const names = new Set(outside.map(verifierKeyName));
  const keys = new Set(outside.map(verifierKeyBytes));
  return (quorum?.peers ?? []).some(
    ({ witness }) =>
      witness !== undefined && (names.has(verifierKeyName(witness)) || keys.has(verifierKeyBytes(witness))),
  );
}
