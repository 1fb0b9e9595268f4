import {
  computeManifestPcr,
  MANIFEST_PCR,
  type PcrValues,
  type VerifiedDocument,
  verifyAttestationDocument,
} from '../../attestation/index.ts';
import { digestManifest, type Manifest, parseManifest } from '../../shared/documents/manifest.ts';
import { decodeGroup, digestShareGroup, nobleSuites, ThresholdError } from '../../shared/frost/index.ts';
import {
  type Backup,
  type BackupStatement,
  encodeBackupProof,
  type ShareEntry,
} from '../../shared/recovery/index.ts';
import type { ColdBackup } from './cold.ts';
import { BackupAuditError } from './errors.ts';

/** What an auditor relies on. */
export interface BackupTrust {
  /** Root of the attestation documents, a certificate in DER. */
  readonly root: Uint8Array;
  /** Measurements of the images that are accepted: PCR0, PCR1 and PCR2 at least. */
  readonly pcrs: readonly PcrValues[];
  /** Bytes of the manifest of each node. */
  readonly manifests: readonly Uint8Array[];
  /** The nonce that the auditor has sent; left out: any, and nothing says how fresh the backup is but its own time. */
  readonly nonce?: string;
}

/** A backup of which the measured enclave of that manifest says what its ciphertexts hold. */
export interface AttestedBackup extends Backup {
  readonly kind: 'attested';
  readonly verified: VerifiedDocument;
}

/** A backup that an attested enclave vouches for, or a cold node alone. */
export type VerifiedBackup = AttestedBackup | ColdBackup;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * Verifies the proof of a backup without any secret: the document is of an accepted image, measured the manifest that it is
 * compared with, and vouches for the statement; the statement is of that node, encrypted to the recovery key of the
 * manifest, and consistent: each share's public element follows from the commitments beside it. The document is judged at
 * its own time, since its certificates last hours, and a backup years.
 *
 * What nobody can verify without decrypting is said by the enclave alone, and the image is what makes it trustworthy.
 *
 * @throws AttestationError; BackupAuditError
 */
export function verifyBackup(backup: Backup, { root, pcrs, manifests, nonce }: BackupTrust): AttestedBackup {
  const { kind, statement, statementBytes, document } = backup;
  if (kind !== 'attested')
    throw new BackupAuditError('BACKUP_NOT_ATTESTED', 'the backup is of a cold node, which nothing attests', {
      node: statement.node.index,
    });
  const manifest = findManifest(statement, manifests);
  const measured = computeManifestPcr(manifest);
  const verified = verifyAttestationDocument(document, {
    root,
    at: 'document',
    pcrs: pcrs.map((expected) => expectImage(expected, measured)),
    nonce: Buffer.from(nonce ?? statement.nonce, 'hex'),
  });
  const proof = encodeBackupProof(statementBytes);
  if (
    verified.userData === null ||
    !Buffer.from(verified.userData).equals(proof) ||
    verified.publicKey !== null
  )
    throw new BackupAuditError(
      'BACKUP_PROOF_MISMATCH',
      'the attestation document vouches for something else',
      {
        expected: hex(proof),
        actual: hex(verified.userData ?? new Uint8Array()),
      },
    );
  assertNode(statement, parseManifest(manifest));
  for (const entry of statement.entries) if (entry.kind === 'share') assertShareEntry(entry);
  return { ...backup, kind, verified };
}

/** Finds the manifest that a statement names by its digest. @throws BackupAuditError BACKUP_MANIFEST_MISSING */
export function findManifest({ node }: BackupStatement, manifests: readonly Uint8Array[]): Uint8Array {
  const found = manifests.find((bytes) => hex(digestManifest(bytes)) === node.manifest);
  if (found !== undefined) return found;
  throw new BackupAuditError('BACKUP_MANIFEST_MISSING', 'no manifest at hand is that of the node', {
    node: node.index,
    manifest: node.manifest,
  });
}

/** @throws RangeError for measurements that name no image */
function expectImage(pcrs: PcrValues, manifest: Uint8Array): PcrValues {
  if ([0, 1, 2].some((index) => !pcrs.has(index)))
    throw new RangeError('the measurements lack PCR0, PCR1 or PCR2, which identify the image');
  return new Map([...pcrs, [MANIFEST_PCR, manifest]]);
}

/** Asserts that a statement is of the node of a manifest. @throws BackupAuditError BACKUP_OTHER_NODE, BACKUP_OTHER_RECOVERY_KEY */
export function assertNode(
  { node, recoveryKey }: BackupStatement,
  manifest: Pick<Manifest, 'namespace' | 'environment' | 'node' | 'emergencyRecovery'>,
): void {
  const { namespace, environment, index } = node;
  if (namespace !== manifest.namespace || environment !== manifest.environment || index !== manifest.node)
    throw new BackupAuditError('BACKUP_OTHER_NODE', 'the statement names another node than its manifest', {
      expected: `${manifest.namespace}/${manifest.environment} ${manifest.node}`,
      actual: `${namespace}/${environment} ${index}`,
    });
  const expected = manifest.emergencyRecovery.publicKey;
  if (recoveryKey !== expected)
    throw new BackupAuditError(
      'BACKUP_OTHER_RECOVERY_KEY',
      'encrypted to another key than the manifest names',
      {
        expected,
        actual: recoveryKey,
      },
    );
}

/** Asserts that what is said of a share fits together: Feldman's commitments give the share's public element. */
function assertShareEntry(entry: ShareEntry): void {
  const suite = nobleSuites[entry.type];
  const group = groupOf(entry);
  let actual: string;
  try {
    actual = hex(suite.group.encode(decodeGroup(suite, group).verifyingShare(entry.participant)));
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error;
    throw lie(entry, 'commitments', error);
  }
  if (actual !== entry.verifyingShare) throw lie(entry, 'verifyingShare');
  if (digestShareGroup(group) !== entry.group) throw lie(entry, 'group');
}

/** Reads the public part of a group out of a share's entry. */
export function groupOf({ type, epoch, threshold, signers, commitments }: ShareEntry) {
  return {
    type,
    epoch,
    threshold,
    signers,
    commitments: commitments.map((commitment) => new Uint8Array(Buffer.from(commitment, 'hex'))),
  };
}

function lie({ id }: ShareEntry, field: string, cause?: unknown): BackupAuditError {
  return new BackupAuditError(
    'BACKUP_STATEMENT_FALSE',
    `what is said of the share contradicts itself: ${field}`,
    { key: id, field },
    cause,
  );
}
