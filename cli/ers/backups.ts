import { MANIFEST_PCR } from '../../attestation/index.ts';
import {
  BackupAuditError,
  type ColdSigner,
  type VerifiedBackup,
  verifyBackup,
  verifyColdBackup,
} from '../../audit/recovery/index.ts';
import {
  type Custodians,
  MAX_CUSTODIANS_BYTES,
  parseCustodians,
  RecoveryCeremonyError,
} from '../../admin/recovery/index.ts';
import { openColdIdentity } from '../../shared/cold/index.ts';
import { parseColdManifest } from '../../shared/documents/cold-manifest.ts';
import { ManifestError } from '../../shared/documents/errors.ts';
import { type Manifest, parseManifest } from '../../shared/documents/manifest.ts';
import { type Backup, MAX_BACKUP_BYTES, parseBackup } from '../../shared/recovery/index.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { readPcrFile, readRootFile } from '../common/trust-files.ts';

/** Options for backups, and for what their proofs are verified with. */
export const BACKUP_OPTIONS = {
  backup: { type: 'string', value: 'FILE', multiple: true, description: 'a backup of a node (repeat)' },
  pcrs: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: 'pcr.json of an image that may have made it (repeat)',
  },
  manifest: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: 'manifest of a node that made one (repeat)',
  },
  'cold-identity': {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: 'take a backup of the cold node with this identity, which nothing attests (repeat)',
  },
  root: {
    type: 'string',
    value: 'FILE',
    setting: 'root',
    description: "the root of attestation documents, PEM or DER (default: AWS's)",
  },
} as const satisfies Record<string, OptionSpec>;

/**
 * Reads backups and verifies their proofs. One of a cold node is taken only with its identity: somebody has said that such a
 * one is meant.
 *
 * @throws UsageError; BackupError; BackupAuditError; AttestationError; ManifestError; CliError INPUT_TOO_LARGE
 */
export async function readBackups(input: CommandInput, nonce?: string): Promise<VerifiedBackup[]> {
  const { io, texts } = input;
  const paths = texts('backup');
  if (paths.length === 0) return [];
  const identityPaths = texts('cold-identity');
  if ((texts('pcrs').length === 0 && identityPaths.length === 0) || texts('manifest').length === 0)
    throw new UsageError(
      '--pcrs and --manifest are needed: a backup whose proof nobody verifies may hold anything',
    );
  const root = await readRootFile(input.text('root'), io);
  const pcrs = [];
  // The registers of the manifest are those of each backup's own.
  for (const path of texts('pcrs'))
    pcrs.push(new Map([...(await readPcrFile(path, io))].filter(([index]) => index !== MANIFEST_PCR)));
  const manifests = await readManifests(input);
  const trust = { root, pcrs, manifests, ...(nonce === undefined ? {} : { nonce }) };
  const identities: ColdSigner[] = [];
  for (const path of identityPaths) {
    const bytes = await readInput(path, io);
    identities.push(inFile(path, () => openColdIdentity(bytes)));
  }
  const backups: VerifiedBackup[] = [];
  for (const path of paths) {
    const bytes = await readInput(path, io, MAX_BACKUP_BYTES);
    backups.push(inFile(path, () => verify(parseBackup(bytes), { ...trust, identities })));
  }
  return backups;
}

function verify(
  backup: Backup,
  trust: Parameters<typeof verifyBackup>[1] & Parameters<typeof verifyColdBackup>[1],
): VerifiedBackup {
  if (backup.kind === 'attested') {
    if (trust.pcrs.length === 0) throw new UsageError('--pcrs is needed for a backup of an attested node');
    return verifyBackup(backup, trust);
  }
  if (trust.identities.length > 0) return verifyColdBackup(backup, trust);
  throw new BackupAuditError(
    'BACKUP_NOT_ATTESTED',
    'the backup is of a cold node, which nothing attests; --cold-identity says that it is meant',
    { node: backup.statement.node.index },
  );
}

/** Reads the bytes of manifests that are ones, of attested nodes and of cold ones. */
export async function readManifests({ io, texts }: CommandInput): Promise<Uint8Array[]> {
  const manifests: Uint8Array[] = [];
  for (const path of texts('manifest')) {
    const bytes = await readInput(path, io);
    inFile(path, () => parseVaultManifest(bytes));
    manifests.push(bytes);
  }
  return manifests;
}

/** What manifests of attested and of cold nodes have in common. */
export type VaultManifest = Pick<Manifest, 'namespace' | 'environment' | 'node' | 'emergencyRecovery'> & {
  readonly isCold: boolean;
};

/** Parses the manifest of an attested node, or of a cold one. @throws ManifestError MANIFEST_MALFORMED */
export function parseVaultManifest(bytes: Uint8Array): VaultManifest {
  try {
    return { ...parseColdManifest(bytes), isCold: true };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return { ...parseManifest(bytes), isCold: false };
  }
}

/**
 * Reads the list of custodians, where there is one.
 *
 * @param recoveryKey that it has to be of, X25519 in hex; left out: any
 * @throws RecoveryCeremonyError CUSTODIANS_MALFORMED, RECOVERY_KEY_MISMATCH
 */
export async function readCustodians(
  { io, text }: CommandInput,
  recoveryKey?: string,
): Promise<Custodians | undefined> {
  const path = text('custodians');
  if (path === undefined) return undefined;
  const bytes = await readInput(path, io, MAX_CUSTODIANS_BYTES);
  return inFile(path, () => {
    const custodians = parseCustodians(bytes);
    if (recoveryKey !== undefined && custodians.publicKey !== recoveryKey)
      throw new RecoveryCeremonyError('RECOVERY_KEY_MISMATCH', 'the custodians are of another recovery key', {
        expected: recoveryKey,
        actual: custodians.publicKey,
      });
    return custodians;
  });
}

/** Finds the recovery key that backups are encrypted to. @throws UsageError for none */
export function recoveryKeyOf(backups: readonly Backup[]): string {
  const [first] = backups;
  if (first === undefined) throw new UsageError('--backup is needed');
  return first.statement.recoveryKey;
}

/** Names a backup in a line. */
export function nameBackup({ kind, statement: { node, key, time, entries }, digest }: Backup): string {
  const epochs = entries.flatMap((entry) => (entry.kind === 'share' ? [`epoch ${entry.epoch}`] : []));
  const what =
    epochs.length > 0 ? epochs.join(', ') : `${entries.length} ${entries.length === 1 ? 'key' : 'keys'}`;
  const whose = kind === 'cold' ? `COLD node ${node.index}, WHICH NOTHING ATTESTS` : `node ${node.index}`;
  return `${key} of ${node.namespace}/${node.environment} ${whose}, ${what}, ${time}\n    statement ${digest}`;
}
