import * as z from 'zod';
import { keyTypeSchema, poolKeyTypeSchema } from '../../shared/algorithms.ts';
import { parseEnvelope, verifyEnvelope } from '../../shared/dsse/index.ts';
import { encodeCanonicalJson, JsonError, parseJson } from '../../shared/json/index.ts';
import type { Backup } from '../../shared/recovery/index.ts';
import { hex, hexOf, identifier, label, time } from '../../shared/recovery/fields.ts';
import { encodeChallenge, verifyChallenge } from './challenge.ts';
import { BackupAuditError } from './errors.ts';

export const DRILL_PAYLOAD_TYPE = 'application/vnd.holdfast.drill+json';
/** The longest record in bytes, as a signed envelope. */
export const MAX_DRILL_BYTES = 2 * 1024 * 1024;
const MAX_PROVEN = 4096;

const core = {
  format: z.literal('holdfast-drill/1'),
  time,
  vault: z.strictObject({ namespace: label, environment: label }),
  /** The X25519 public key whose private half the custodians gave. */
  recoveryKey: hex(32),
  /** Of the auditor who asked for the drill, or random. */
  nonce: hexOf(16, 64),
  /** The custodians who came: the number of each share, from 1, and a name where a list of custodians gives one. */
  custodians: z
    .array(z.strictObject({ share: z.int().min(1).max(16), name: z.string().max(64).nullable() }))
    .min(1)
    .max(16),
  /** How many custodians it takes. */
  threshold: z.int().min(1).max(16),
  /** The backups that were read, by the digest of their statement. */
  backups: z
    .array(
      z.strictObject({
        node: z.int().min(1).max(255),
        key: identifier,
        statement: hex(48),
        /** Of a cold node, which nothing attests; left out of an attested one. */
        cold: z.literal(true).optional(),
      }),
    )
    .min(1)
    .max(MAX_PROVEN),
};

const provenSchema = z.strictObject({
  kind: z.enum(['key', 'share', 'pool-key']),
  key: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
  type: z.union([keyTypeSchema, poolKeyTypeSchema]),
  /** Of a share: the epoch that was recovered, and whose shares. */
  epoch: z.int().min(0).nullable(),
  nodes: z.array(z.int().min(1).max(65_535)).min(1).max(255),
  /** Null of symmetric keys, which have nothing to prove themselves by: they were read, and that is all. */
  publicKey: hexOf(32, 1024).nullable(),
  signature: hexOf(64, 512).nullable(),
});

/** Record of a drill: who recovered what from which backups, with signatures of the recovered keys over its challenge. */
export const drillSchema = z
  .strictObject({ ...core, proven: z.array(provenSchema).min(1).max(MAX_PROVEN) })
  .refine(({ proven }) => proven.every((one) => (one.publicKey === null) === (one.signature === null)), {
    path: ['proven'],
  });
export type Drill = z.infer<typeof drillSchema>;
export type DrillCore = Omit<Drill, 'proven'>;
export type Proven = Drill['proven'][number];

/** Encodes a record as it is signed: canonical JSON, the payload of a DSSE envelope. */
export function encodeDrill(drill: Drill): Uint8Array<ArrayBuffer> {
  return encodeCanonicalJson(drill);
}

/**
 * Verifies the record of a drill: who has signed it, and that each recovered key has signed this drill's challenge.
 *
 * @param keys raw Ed25519 public keys in hex of those who may lead drills; one of them has signed
 * @throws DsseError; BackupAuditError DRILL_MALFORMED, DRILL_PROOF_INVALID
 */
export function verifyDrill(envelope: Uint8Array, keys: readonly string[]): { drill: Drill; signer: string } {
  if (envelope.length > MAX_DRILL_BYTES) throw malformed('too long');
  const opened = verifyEnvelope(parseEnvelope(envelope), {
    payloadType: DRILL_PAYLOAD_TYPE,
    keys,
    threshold: 1,
  });
  const parsed = drillSchema.safeParse(readJson(opened.payload));
  if (!parsed.success) throw malformed(parsed.error.issues[0]?.path.join('.') ?? '');
  const { proven, ...rest } = parsed.data;
  for (const { publicKey, signature, key, kind, type } of proven) {
    if (publicKey === null || signature === null) continue;
    const challenge = encodeChallenge(rest, key);
    if (!verifyChallenge({ kind, type, publicKey }, challenge, Buffer.from(signature, 'hex')))
      throw new BackupAuditError(
        'DRILL_PROOF_INVALID',
        'the key has not signed the challenge of this drill',
        { key },
      );
  }
  return { drill: parsed.data, signer: opened.signers[0] ?? '' };
}

/** Asserts that a drill was held for the nonce that an auditor has sent. @throws BackupAuditError DRILL_OTHER_NONCE */
export function assertDrillFor({ nonce }: Drill, expected: string): void {
  if (nonce === expected) return;
  throw new BackupAuditError('DRILL_OTHER_NONCE', 'the drill was held for another nonce', {
    expected,
    actual: nonce,
  });
}

/**
 * Asserts that a drill is of backups that were verified: each key that it proves is one that an enclave has attested to. A
 * record by itself proves keys of its own choosing.
 *
 * @throws BackupAuditError DRILL_OTHER_BACKUPS
 */
export function assertDrillOf(
  drill: Drill,
  backups: readonly Pick<Backup, 'statement' | 'digest' | 'kind'>[],
): void {
  const kinds = new Map(backups.map(({ digest, kind }) => [digest, kind]));
  const mistaken = drill.backups.find(
    ({ statement, cold }) =>
      kinds.has(statement) && kinds.get(statement) !== (cold === true ? 'cold' : 'attested'),
  );
  if (mistaken !== undefined)
    throw new BackupAuditError(
      'DRILL_OTHER_BACKUPS',
      'the record takes the backup of a cold node for an attested one, or the other way round',
      { key: mistaken.key, statement: mistaken.statement },
    );
  const own = backups.filter(
    ({ statement: { node, recoveryKey } }) =>
      recoveryKey === drill.recoveryKey &&
      node.namespace === drill.vault.namespace &&
      node.environment === drill.vault.environment,
  );
  const entries = own.flatMap(({ statement }) => statement.entries);
  const other = drill.proven.find(
    ({ kind, key, type, publicKey }) =>
      !entries.some(
        (entry) =>
          entry.kind === kind &&
          entry.id === key &&
          entry.type === type &&
          (entry.kind === 'share' ? entry.commitments[0] : entry.publicKey) === publicKey,
      ),
  );
  if (other === undefined) return;
  throw new BackupAuditError('DRILL_OTHER_BACKUPS', 'no backup at hand has a key that the drill proves', {
    key: other.key,
    publicKey: other.publicKey,
  });
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: MAX_DRILL_BYTES, maxDepth: 5 });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function malformed(field: string): BackupAuditError {
  return new BackupAuditError('DRILL_MALFORMED', `not the record of a drill: ${field}`, { field });
}
