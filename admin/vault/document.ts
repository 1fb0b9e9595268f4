import { createHash } from 'node:crypto';
import * as z from 'zod';
import { addressBookSchema, MAX_ADDRESS_BOOKS } from '../../shared/documents/configuration/address-books.ts';
import {
  approverGroupSchema,
  approversSchema,
  clientGroupSchema,
  MAX_GROUPS,
} from '../../shared/documents/configuration/approvers.ts';
import {
  areUnique,
  entryList,
  identifier,
  MAX_ENTRIES,
  MAX_RULES,
} from '../../shared/documents/configuration/fields.ts';
import { networkKeySchema } from '../../shared/documents/configuration/keys.ts';
import { MAX_NODES } from '../../shared/documents/configuration/quorum.ts';
import { recoverySchema } from '../../shared/documents/configuration/recovery.ts';
import { ruleSchema } from '../../shared/documents/configuration/rules.ts';
import { VaultError } from './errors.ts';
import {
  account,
  cidr,
  hostName,
  imageId,
  instanceType,
  label,
  principalArn,
  publicKey,
  publicKeyPem,
  region,
  releaseSource,
  releaseVersion,
  subnetId,
  vpcId,
} from './fields.ts';
import { partsSchema } from './parts.ts';
import { findSecret } from './secrets-inside.ts';
import { parseYaml, type Place } from './yaml.ts';

export const VAULT_FORMAT = 'holdfast-vault/1';
/** Largest vault.yaml, in bytes. */
export const MAX_VAULT_BYTES = 512 * 1024;
/** Faults that a refusal names. */
const MAX_NAMED = 16;
const MAX_ADMINS = 16;
const MAX_AUTHORITIES = 32;
const MAX_OWNERS = 16;

const admins = z
  .array(principalArn)
  .min(1)
  .max(MAX_ADMINS)
  .refine(areUnique, { error: 'an admin is named twice' });

const infrastructureSchema = z.strictObject({
  account,
  admins,
  /** Ed25519 public key by which this role signs what it tells the others. */
  statementKey: publicKey,
  network: z.strictObject({
    vpcId,
    subnetId,
    /** Where wallet backends come from. */
    clientCidr: cidr,
    /** Where the parents of the quorum's other nodes are. */
    peerCidr: cidr,
  }),
  host: z.strictObject({ instanceType, imageId }),
});

const nodeSchema = z.strictObject({
  /** Number of the node, from 1, as in its manifest. */
  node: z.int().min(1).max(255),
  account,
  /** Region of the node's KMS key; the vault's when left out. */
  region: region.optional(),
  admins,
  statementKey: publicKey,
  configurationAuthority: z.strictObject({
    threshold: z.int().min(1).max(MAX_AUTHORITIES),
    /** Ed25519 keys of people. The key of the function is not among them: its stack makes it. */
    keys: z
      .array(publicKey)
      .max(MAX_AUTHORITIES - 1)
      .refine(areUnique, { error: 'a key is named twice' }),
    /** Whether the KMS-held key of the node's stack is one more authority. */
    function: z.boolean(),
  }),
  recovery: z.strictObject({
    /** X25519 public key of `ers keygen`. */
    publicKey,
  }),
});

const clientSchema = z.strictObject({
  id: identifier,
  publicKey,
  /** Approver behind the client, who never approves its requests; null: none of them. */
  person: identifier.nullable().default(null),
});

/** What the first configuration of every node says of people, keys and rules: members as in a configuration. */
const tenantSchema = z.strictObject({
  approvers: approversSchema,
  approverGroups: entryList(approverGroupSchema, MAX_GROUPS),
  clientGroups: entryList(clientGroupSchema, MAX_GROUPS).default([]),
  /**
   * Clients that alone have keys of the quorum generated, refreshed, handed on and repaired. Every other client is denied
   * it by a rule that no rule of `rules` overrides; ceremonies cannot wait for approvals.
   */
  owners: z.strictObject({
    clients: z
      .array(identifier)
      .min(1)
      .max(MAX_OWNERS)
      .refine(areUnique, { error: 'a client is named twice' }),
  }),
  addressBooks: entryList(addressBookSchema, MAX_ADDRESS_BOOKS).default([]),
  keys: entryList(networkKeySchema, MAX_ENTRIES).min(1),
  /** Keys that need a backup that a keeper has acknowledged, and amounts that they sign without one; left out: no key needs one. */
  recovery: recoverySchema.optional(),
  rules: entryList(ruleSchema, MAX_RULES),
});

/** Description of a vault: accounts, people, nodes, and what the nodes will allow. Nothing in it is secret. */
export const vaultSchema = z
  .strictObject({
    format: z.literal(VAULT_FORMAT),
    namespace: label,
    environment: label,
    region,
    /** Domain of the approvers' page; null: none. */
    domain: hostName.nullable().default(null),
    /** How many nodes sign together. */
    threshold: z.int().min(1).max(MAX_NODES),
    release: z.strictObject({
      version: releaseVersion,
      from: releaseSource,
      /** Public key that signs releases, in PEM; null until it is known. */
      publicKey: publicKeyPem.nullable(),
      /** Whether each node's admin has to have rebuilt an image from source before they vouch for it. */
      rebuilds: z.enum(['optional', 'required']).default('optional'),
    }),
    infrastructure: infrastructureSchema,
    nodes: z.array(nodeSchema).min(1).max(MAX_NODES),
    clients: entryList(clientSchema, MAX_ENTRIES).min(1),
    tenant: tenantSchema,
    parts: partsSchema.prefault({}),
  })
  .refine(({ nodes }) => nodes.every(({ node }, index) => node === index + 1), {
    path: ['nodes'],
    error: 'nodes are numbered 1, 2, 3 and so on, in this order',
  });

/** Description of a vault with every default applied. */
export type VaultDocument = z.infer<typeof vaultSchema>;
export type VaultNode = VaultDocument['nodes'][number];

/** Description of a vault, and where its values stand in the file. */
export interface LocatedVault {
  readonly document: VaultDocument;
  readonly placeOf: (path: readonly PropertyKey[]) => Place | undefined;
}

/**
 * Parses vault.yaml: one document of YAML 1.2 without anchors and tags, at most {@link MAX_VAULT_BYTES}.
 *
 * @throws VaultError VAULT_MALFORMED with the places of the first {@link MAX_NAMED} faults, VAULT_SECRET_INSIDE
 */
export function parseVault(bytes: Uint8Array): VaultDocument {
  return locateVault(bytes).document;
}

/** Parses vault.yaml as {@link parseVault} does, and keeps the places of its values for findings. */
export function locateVault(bytes: Uint8Array): LocatedVault {
  const text = decode(bytes);
  const secret = findSecret(text);
  if (secret !== undefined) {
    throw new VaultError(
      'VAULT_SECRET_INSIDE',
      `vault.yaml is shared with everybody, and holds ${secret.what}`,
      {
        line: secret.line,
      },
    );
  }
  const { value, placeOf } = parseYaml(text);
  const result = vaultSchema.safeParse(value, { error: describeMissing });
  if (result.success) return { document: result.data, placeOf };
  const faults = result.error.issues.flatMap(({ path, message, ...issue }) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...path, key], problem: 'unknown field' }))
      : [{ path, problem: message }],
  );
  const fields = faults.slice(0, MAX_NAMED).map(({ path, problem }) => {
    const place = placeOf(path);
    const where = place === undefined ? '' : `line ${place.line}: `;
    return `${where}${path.length === 0 ? 'the whole' : path.join('.')}: ${problem}`;
  });
  throw new VaultError('VAULT_MALFORMED', 'fields of vault.yaml are missing, unknown or malformed', {
    fields,
    ...placeOf(faults[0]?.path ?? []),
  });
}

/** Computes the SHA-384 of vault.yaml's bytes, in hex: statements of the roles name it. */
export function digestVault(bytes: Uint8Array): string {
  return createHash('sha384').update(bytes).digest('hex');
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > MAX_VAULT_BYTES) {
    throw new VaultError('VAULT_MALFORMED', 'vault.yaml is longer than its maximum', {
      maximum: MAX_VAULT_BYTES,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new VaultError('VAULT_MALFORMED', 'vault.yaml is not UTF-8', {}, error);
  }
}

/** Says of a field that is not there what is wrong, in place of the type that undefined lacks. */
function describeMissing({ code, input }: z.core.$ZodRawIssue): string | undefined {
  return code === 'invalid_type' && input === undefined ? 'the field is missing' : undefined;
}
