import * as z from 'zod';
import { ALGORITHMS, algorithmSchema, blindPayloadKindSchema } from '../../algorithms.ts';
import { publicKey32Schema } from '../public-key.ts';
import { areUnique, entryList, identifier, idList, MAX_ENTRIES, MAX_RULES, sha384 } from './fields.ts';
import { dropEntrySchema, keyEntrySchema, recordOf } from './keys.ts';
import { rateSchema } from './limits.ts';
import { operationSchema } from '../../operations.ts';

export const CONFIGURATION_FORMAT_1 = 'holdfast-configuration/1';

/** The operations that format 1 has: those that were added since are format 2's alone. */
const operation1Schema = operationSchema.extract([
  'sign',
  'import-share',
  'generate',
  'import-key',
  'refresh',
  'reshare',
  'repair',
]);

/** One permission of format 1. A request is permitted when some rule matches it in every field, and denied otherwise. */
export const rule1Schema = z.strictObject({
  id: identifier,
  operations: z.array(operation1Schema).min(1).max(8),
  clients: idList,
  keys: idList,
  algorithms: z.array(algorithmSchema).min(1).max(ALGORITHMS.length),
  payloads: z.array(blindPayloadKindSchema).min(1).max(16),
  rate: rateSchema.nullable(),
});
export type Rule1 = z.infer<typeof rule1Schema>;

/** Members that both formats have in the same form. */
export const commonMembers = {
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** SHA-384 of the manifest's bytes, hex. */
  manifest: sha384,
  /**
   * The end of its validity by the NSM's time, RFC 3339 in UTC. A parent that keeps a node running, or brings an old
   * store back, gains nothing after that. Without `notAfter`, a configuration is valid until the next one.
   */
  notAfter: z.iso.datetime().optional(),
  /**
   * The order to start an empty store: obeyed once, before `notAfter` (RFC 3339, UTC). `id` is sealed in the new store,
   * which then refuses any other order for good. `password` says whether the Encryptor Master Password is generated
   * inside the enclave or supplied by an admin as a secret blob.
   */
  initialise: z
    .strictObject({
      id: identifier,
      notAfter: z.iso.datetime(),
      password: z.enum(['generated', 'supplied']),
    })
    .optional(),
  drop: z
    .array(dropEntrySchema)
    .min(1)
    .max(MAX_ENTRIES)
    .refine((entries) => areUnique(entries.map(recordOf)))
    .optional(),
};

export const DROPS_WHAT_IT_NAMES = {
  path: ['drop'],
  error: 'a key that is to be dropped is named in keys',
};

/** Tells whether no key that is to be dropped is one that the configuration names. */
export function dropsOnlyOthers({
  keys,
  drop = [],
}: {
  readonly keys: readonly Parameters<typeof recordOf>[0][];
  readonly drop?: readonly Parameters<typeof recordOf>[0][] | undefined;
}): boolean {
  const held = new Set(keys.map(recordOf));
  return drop.every((entry) => !held.has(recordOf(entry)));
}

/** A configuration of format 1: permissions over payloads that nobody reads. */
export const configuration1Schema = z
  .strictObject({
    format: z.literal(CONFIGURATION_FORMAT_1),
    ...commonMembers,
    clients: entryList(z.strictObject({ id: identifier, publicKey: publicKey32Schema }), MAX_ENTRIES).refine(
      (clients) => areUnique(clients.map(({ publicKey }) => publicKey)),
    ),
    keys: entryList(keyEntrySchema, MAX_ENTRIES),
    rules: entryList(rule1Schema, MAX_RULES),
  })
  .refine(({ clients, rules }) => {
    const known = new Set(clients.map(({ id }) => id));
    return rules.every((rule) => rule.clients.every((id) => known.has(id)));
  })
  .refine(({ keys, rules }) => {
    const known = new Set(keys.map(({ id }) => id));
    return rules.every((rule) => rule.keys.every((id) => known.has(id)));
  })
  .refine(dropsOnlyOthers, DROPS_WHAT_IT_NAMES);
export type ConfigurationDocument1 = z.infer<typeof configuration1Schema>;
