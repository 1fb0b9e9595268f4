import { createHash } from 'node:crypto';
import * as z from 'zod';
import { DsseError, verifyEnvelope, parseEnvelope } from '../dsse/index.ts';
import { parseJson } from '../json/index.ts';
import { MAX_CONFIGURATION_BYTES } from '../protocol/control.ts';
import { algorithmSchema, isShareType, keyTypeSchema, blindPayloadKindSchema } from '../algorithms.ts';
import { ConfigurationError } from './errors.ts';
import { type DocumentKind, parseByFormat } from './format.ts';
import { type Manifest, publicKey32Schema } from './manifest.ts';

export const CONFIGURATION_FORMAT = 'holdfast-configuration/1';
/** The DSSE payload type of a signed configuration. */
export const CONFIGURATION_PAYLOAD_TYPE = 'application/vnd.holdfast.configuration+json';

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const hex = (maximumBytes: number) => z.string().regex(new RegExp(`^([0-9a-f]{2}){1,${maximumBytes}}$`));

function areUnique(ids: readonly string[]): boolean {
  return new Set(ids).size === ids.length;
}
const idList = z.array(identifier).min(1).max(256).refine(areUnique);

/** A key that the node holds. A key with `publicKey` must exist already and be that one; it is never made anew. */
export const keyEntrySchema = z
  .strictObject({
    id: identifier,
    type: keyTypeSchema,
    publicKey: hex(128).optional(),
    /**
     * For a share: SHA-384 of its group's commitments in hex (shared/frost/SPEC.md), as the dealer prints it. Without
     * `commitments`, whoever may import the share chooses its group, or with `publicKey` everything of the group but
     * the public key.
     */
    commitments: z
      .string()
      .regex(/^[0-9a-f]{96}$/)
      .optional(),
  })
  .refine(({ type, commitments }) => commitments === undefined || isShareType(type), {
    path: ['commitments'],
    error: 'only a share has commitments',
  });
export type KeyEntry = z.infer<typeof keyEntrySchema>;

/**
 * The order to drop a key or share that `keys` no longer names from the store. The public key in the order keeps it
 * from dropping another key that was made under the same id. The order is carried out once, when its configuration
 * comes into force.
 */
export const dropEntrySchema = z.strictObject({ id: identifier, type: keyTypeSchema, publicKey: hex(128) });
export type DropEntry = z.infer<typeof dropEntrySchema>;

/** Names the record of an entry in the store: a key and a share of the same id are two records. */
const recordOf = ({ id, type }: Pick<KeyEntry, 'id' | 'type'>) =>
  `${isShareType(type) ? 'shares' : 'keys'}/${id}`;

/** The operations that a rule may permit; `sign` covers both rounds of FROST. */
export const operationSchema = z.enum(['sign', 'import-share']);
export type Operation = z.infer<typeof operationSchema>;

/** One permission. A request is permitted when some rule matches it in every field, and denied otherwise. */
export const ruleSchema = z.strictObject({
  id: identifier,
  operations: z.array(operationSchema).min(1).max(8),
  clients: idList,
  keys: idList,
  algorithms: z.array(algorithmSchema).min(1).max(16),
  payloads: z.array(blindPayloadKindSchema).min(1).max(16),
  /**
   * A bucket that holds `count` requests and refills evenly in `seconds`: never more than `count` at once, and `count`
   * per `seconds` over time. The bucket is empty when a node starts, so that a restart never grants more. `null` stands
   * where no limit is wanted. Rules only permit: where several match, each rate is a grant of its own.
   */
  rate: z
    .strictObject({
      count: z.int().min(1).max(1_000_000),
      seconds: z
        .int()
        .min(1)
        .max(86_400 * 31),
    })
    .nullable(),
});
export type Rule = z.infer<typeof ruleSchema>;

/**
 * A configuration: the permissions of one node. Its version only grows, it names the manifest of the node, and as many
 * authorities as that manifest asks for have signed it.
 */
export const configurationSchema = z
  .strictObject({
    format: z.literal(CONFIGURATION_FORMAT),
    version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    /** SHA-384 of the manifest's bytes, hex. */
    manifest: z.string().regex(/^[0-9a-f]{96}$/),
    /**
     * The end of its validity by the NSM's time, RFC 3339 in UTC. A parent that keeps a node running, or brings an old
     * store back, gains nothing after that. Without `notAfter`, a configuration is valid until the next one.
     */
    notAfter: z.iso.datetime().optional(),
    /**
     * The order to start an empty store: obeyed once, before `notAfter` (RFC 3339, UTC). `id` is sealed in the new
     * store, which then refuses any other order for good. `password` says whether the Encryptor Master Password is
     * generated inside the enclave or supplied by an admin as a secret blob.
     */
    initialise: z
      .strictObject({
        id: identifier,
        notAfter: z.iso.datetime(),
        password: z.enum(['generated', 'supplied']),
      })
      .optional(),
    clients: z
      .array(z.strictObject({ id: identifier, publicKey: publicKey32Schema }))
      .max(1024)
      .refine((clients) => areUnique(clients.map(({ id }) => id)))
      .refine((clients) => areUnique(clients.map(({ publicKey }) => publicKey))),
    keys: z
      .array(keyEntrySchema)
      .max(1024)
      .refine((keys) => areUnique(keys.map(({ id }) => id))),
    drop: z
      .array(dropEntrySchema)
      .min(1)
      .max(1024)
      .refine((entries) => areUnique(entries.map(recordOf)))
      .optional(),
    rules: z
      .array(ruleSchema)
      .max(4096)
      .refine((rules) => areUnique(rules.map(({ id }) => id))),
  })
  .refine(({ clients, rules }) => {
    const known = new Set(clients.map(({ id }) => id));
    return rules.every((rule) => rule.clients.every((id) => known.has(id)));
  })
  .refine(({ keys, rules }) => {
    const known = new Set(keys.map(({ id }) => id));
    return rules.every((rule) => rule.keys.every((id) => known.has(id)));
  })
  .refine(
    ({ keys, drop = [] }) => {
      const held = new Set(keys.map(recordOf));
      return drop.every((entry) => !held.has(recordOf(entry)));
    },
    { path: ['drop'], error: 'a key that is to be dropped is named in keys' },
  );
export type Configuration = z.infer<typeof configurationSchema>;

const CONFIGURATION_KIND: DocumentKind<Configuration> = {
  noun: 'configuration',
  formats: new Map([[CONFIGURATION_FORMAT, configurationSchema]]),
  refuse: (message, details) => new ConfigurationError('CONFIGURATION_MALFORMED', message, details),
};

/** A configuration that enough authorities of one manifest have signed. */
export interface SignedConfiguration {
  readonly configuration: Configuration;
  /** SHA-384 of the signed bytes. */
  readonly digest: Uint8Array;
  /** The keys of the authorities that signed, raw Ed25519 public keys in hex. */
  readonly signers: readonly string[];
}

/**
 * Parses the bytes of a configuration, without any signature, for an authority to read before it signs.
 *
 * @throws ConfigurationError CONFIGURATION_MALFORMED
 */
export function parseConfiguration(bytes: Uint8Array): Configuration {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_CONFIGURATION_BYTES, maxDepth: 8 });
  } catch (error) {
    throw new ConfigurationError(
      'CONFIGURATION_MALFORMED',
      'the configuration is not strict JSON',
      {},
      error,
    );
  }
  return parseByFormat(value, CONFIGURATION_KIND);
}

/**
 * Verifies a signed configuration (a DSSE envelope) against the manifest that names its authorities, then parses it.
 *
 * @throws ConfigurationError
 */
export function openConfiguration(
  envelope: Uint8Array,
  { manifest, digest }: { manifest: Manifest; digest: Uint8Array },
): SignedConfiguration {
  const { payload, signers } = openSigned(envelope, manifest);
  const configuration = parseConfiguration(payload);
  const expected = Buffer.from(digest).toString('hex');
  if (configuration.manifest !== expected) {
    throw new ConfigurationError(
      'CONFIGURATION_OTHER_MANIFEST',
      'the configuration is for another manifest',
      {
        expected,
        actual: configuration.manifest,
      },
    );
  }
  return { configuration, digest: new Uint8Array(createHash('sha384').update(payload).digest()), signers };
}

function openSigned(envelope: Uint8Array, { configurationAuthority: { keys, threshold } }: Manifest) {
  try {
    return verifyEnvelope(parseEnvelope(envelope), {
      payloadType: CONFIGURATION_PAYLOAD_TYPE,
      keys,
      threshold,
    });
  } catch (error) {
    if (!(error instanceof DsseError)) throw error;
    const code =
      error.code === 'DSSE_UNDER_SIGNED' ? 'CONFIGURATION_UNDER_SIGNED' : 'CONFIGURATION_MALFORMED';
    throw new ConfigurationError(code, error.message, error.details, error);
  }
}
