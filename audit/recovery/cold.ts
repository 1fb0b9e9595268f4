import { parseColdManifest } from '../../shared/documents/cold-manifest.ts';
import { parseEnvelope, verifyEnvelope } from '../../shared/dsse/index.ts';
import { type Backup, COLD_BACKUP_PAYLOAD_TYPE, encodeBackupProof } from '../../shared/recovery/index.ts';
import { BackupAuditError } from './errors.ts';
import { assertNode, findManifest } from './verify.ts';

/** What an identity of a cold node says of whoever signs its backups (shared/cold/SPEC.md). */
export interface ColdSigner {
  /** SHA-384 of the manifest in hex. */
  readonly manifest: string;
  /** Ed25519 in hex. */
  readonly receiptKey: string;
  readonly log: { readonly origin: string };
}

/** What is relied on of cold nodes: nothing but what people have compared. */
export interface ColdBackupTrust {
  /** Bytes of the manifest of each cold node. */
  readonly manifests: readonly Uint8Array[];
  /** The identity of each, whose fingerprint somebody has compared at its machine. */
  readonly identities: readonly ColdSigner[];
  /** The nonce that the auditor has sent; left out: any. */
  readonly nonce?: string;
}

/**
 * A backup that a cold node has signed. The machine has no measurement: whoever owned it could have signed any statement,
 * and only a drill shows what the ciphertexts hold.
 */
export interface ColdBackup extends Backup {
  readonly kind: 'cold';
  /** The key of the identity that has signed, Ed25519 in hex. */
  readonly signer: string;
}

/**
 * Verifies what a cold node says of its backup: that it is signed by the key of its identity, that both are of the manifest,
 * and that it is encrypted to the recovery key which that names.
 *
 * @throws ManifestError; DsseError; BackupAuditError
 */
export function verifyColdBackup(
  backup: Backup,
  { manifests, identities, nonce }: ColdBackupTrust,
): ColdBackup {
  const { kind, statement, statementBytes, document } = backup;
  if (kind !== 'cold') throw new RangeError('expected a backup of a cold node');
  const manifest = findManifest(statement, manifests);
  const identity = identities.find((one) => one.manifest === statement.node.manifest);
  if (identity === undefined)
    throw new BackupAuditError('BACKUP_IDENTITY_MISSING', 'no identity at hand is that of the cold node', {
      node: statement.node.index,
      manifest: statement.node.manifest,
    });
  const { payload } = verifyEnvelope(parseEnvelope(document), {
    payloadType: COLD_BACKUP_PAYLOAD_TYPE,
    keys: [identity.receiptKey],
    threshold: 1,
  });
  const proof = encodeBackupProof(statementBytes);
  const isOfLog = statement.log.origin === identity.log.origin;
  if (!proof.equals(payload) || !isOfLog || (nonce !== undefined && nonce !== statement.nonce))
    throw new BackupAuditError('BACKUP_PROOF_MISMATCH', 'the node has signed something else', {
      expected: proof.toString('hex'),
      actual: Buffer.from(payload).toString('hex'),
    });
  assertNode(statement, parseColdManifest(manifest));
  if (statement.entries.some((entry) => entry.kind !== 'key'))
    throw new BackupAuditError(
      'BACKUP_STATEMENT_FALSE',
      'a cold node has whole keys of its configuration alone',
    );
  return { ...backup, kind, signer: identity.receiptKey };
}
