import * as z from 'zod';
import { keyTypeSchema, keyUsageSchema, poolKeyTypeSchema, shareTypeSchema } from '../algorithms.ts';
import { encodeCanonicalJson, JsonError, parseJson } from '../json/index.ts';
import { BackupError } from './errors.ts';
import { counter, hex, hexOf, identifier, label, time } from './fields.ts';

export const STATEMENT_FORMAT = 'holdfast-backup-statement/1';
/** Of a cold node, which nothing attests: each ciphertext is bound to that, too. */
export const COLD_STATEMENT_FORMAT = 'holdfast-cold-backup-statement/1';
/** The most entries of one backup: further keys of a pool are in backups of their own. */
export const MAX_BACKUP_ENTRIES = 128;
/** The longest statement in bytes: as many RSA keys as fit, or a share of 255 commitments. */
export const MAX_STATEMENT_BYTES = 512 * 1024;
const MAX_DEPTH = 5;

const signerNumber = z.int().min(1).max(65_535);

/** SHA-384 of the encapsulated key followed by the ciphertext, in hex. */
const ciphertext = hex(48);

/** A whole key of the configuration. */
const keySchema = z.strictObject({
  kind: z.literal('key'),
  id: identifier,
  type: keyTypeSchema.exclude(shareTypeSchema.options),
  publicKey: hexOf(32, 128),
  ciphertext,
});

/** A share, and all that is public of its group: the epoch, the commitments, and what the share itself verifies against. */
const shareSchema = z
  .strictObject({
    kind: z.literal('share'),
    id: identifier,
    type: shareTypeSchema,
    /** `pending`: confirmed by this node, and not known to be in force. */
    state: z.enum(['current', 'pending']),
    epoch: z.int().min(0).max(0xffff_ffff),
    threshold: z.int().min(2).max(255),
    signers: z.array(signerNumber).min(2).max(255),
    participant: signerNumber,
    /** Feldman's commitments to the polynomial; the first is the public key. */
    commitments: z.array(hexOf(32, 33)).min(2).max(255),
    /** The public element of this share (RFC 9591, appendix C.2). */
    verifyingShare: hexOf(32, 33),
    /** SHA-384 of all that is public of the group (shared/frost/SPEC.md). */
    group: hex(48),
    ciphertext,
  })
  .refine(({ threshold, commitments }) => commitments.length === threshold, { path: ['commitments'] })
  .refine(({ signers }) => signers.every((signer, index) => signer > (signers[index - 1] ?? 0)), {
    path: ['signers'],
  })
  .refine(({ signers, participant }) => signers.includes(participant), { path: ['participant'] })
  .refine(({ signers, threshold }) => threshold <= signers.length, { path: ['threshold'] });

/** A key that a client had the node make. */
const poolKeySchema = z.strictObject({
  kind: z.literal('pool-key'),
  id: z.uuid({ version: 'v4' }),
  pool: identifier,
  type: poolKeyTypeSchema,
  usage: keyUsageSchema,
  /** SubjectPublicKeyInfo in DER; null of symmetric and HMAC keys. */
  publicKey: hexOf(32, 1024).nullable(),
  created: time,
  ciphertext,
});

const entrySchema = z.discriminatedUnion('kind', [keySchema, shareSchema, poolKeySchema]);
export type BackupEntry = z.infer<typeof entrySchema>;
export type ShareEntry = Extract<BackupEntry, { kind: 'share' }>;

/** What a backup says of the node and the moment that it was made in; each ciphertext is bound to all of it. */
const head = {
  format: z.enum([STATEMENT_FORMAT, COLD_STATEMENT_FORMAT]),
  node: z.strictObject({
    /** SHA-384 of the manifest's bytes. */
    manifest: hex(48),
    namespace: label,
    environment: label,
    /** The node's place in its quorum, from 1. */
    index: z.int().min(1).max(255),
  }),
  /** Id of the boot, random. */
  session: hex(16),
  /** The X25519 public key that the manifest names. */
  recoveryKey: hex(32),
  configuration: z.strictObject({ version: z.int().min(1).max(Number.MAX_SAFE_INTEGER), digest: hex(48) }),
  /** By the NSM's clock. */
  time,
  /** The node's log: its origin, and the number of its entries just before the one that tells of this backup. */
  log: z.strictObject({ origin: z.string().min(1).max(255), size: counter }),
  /** Of the auditor who asked; the attestation document has the same one. */
  nonce: hexOf(16, 64),
  /** The id of the key, or of the pool. */
  key: identifier,
  /**
   * Of a pool: id of the last key of the backup before this one, null in the first; and whether the pool has keys after
   * those of this one. Of a key: null and false.
   */
  after: z.uuid({ version: 'v4' }).nullable(),
  more: z.boolean(),
};

/** What a node states of one backup. */
export const statementSchema = z.strictObject({
  ...head,
  entries: z.array(entrySchema).min(1).max(MAX_BACKUP_ENTRIES),
});
export type BackupStatement = z.infer<typeof statementSchema>;
export type BackupHead = Omit<BackupStatement, 'entries'>;
/** An entry as its ciphertext is bound to it. */
export type PublicEntry = BackupEntry extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'ciphertext'>
    : never
  : never;

/** Encodes a statement as its digest and the attestation document cover it: canonical JSON (RFC 8785). */
export function encodeStatement(statement: BackupStatement): Uint8Array<ArrayBuffer> {
  return encodeCanonicalJson(statement);
}

/** Parses a statement, which has one form for one content. @throws BackupError BACKUP_MALFORMED */
export function parseStatement(bytes: Uint8Array): BackupStatement {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_STATEMENT_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new BackupError('BACKUP_MALFORMED', 'the statement is not strict JSON', {}, error);
  }
  const parsed = statementSchema.safeParse(value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new BackupError('BACKUP_MALFORMED', `the statement has a wrong member: ${path}`, { path });
  }
  if (!Buffer.from(encodeStatement(parsed.data)).equals(bytes))
    throw new BackupError('BACKUP_MALFORMED', 'the statement is not canonical JSON');
  return parsed.data;
}
