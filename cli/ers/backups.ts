import { MANIFEST_PCR } from '../../attestation/index.ts';
import { type VerifiedBackup, verifyBackup } from '../../audit/recovery/index.ts';
import { type Custodians, MAX_CUSTODIANS_BYTES, parseCustodians } from '../../admin/recovery/index.ts';
import { parseManifest } from '../../shared/documents/manifest.ts';
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
  root: {
    type: 'string',
    value: 'FILE',
    setting: 'root',
    description: "the root of attestation documents, PEM or DER (default: AWS's)",
  },
} as const satisfies Record<string, OptionSpec>;

/**
 * Reads backups and verifies their proofs.
 *
 * @throws UsageError; BackupError; BackupAuditError; AttestationError; ManifestError; CliError INPUT_TOO_LARGE
 */
export async function readBackups(input: CommandInput, nonce?: string): Promise<VerifiedBackup[]> {
  const { io, texts } = input;
  const paths = texts('backup');
  if (paths.length === 0) return [];
  if (texts('pcrs').length === 0 || texts('manifest').length === 0)
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
  const backups: VerifiedBackup[] = [];
  for (const path of paths) {
    const bytes = await readInput(path, io, MAX_BACKUP_BYTES);
    backups.push(inFile(path, () => verifyBackup(parseBackup(bytes), trust)));
  }
  return backups;
}

/** Reads the bytes of manifests that are ones. */
export async function readManifests({ io, texts }: CommandInput): Promise<Uint8Array[]> {
  const manifests: Uint8Array[] = [];
  for (const path of texts('manifest')) {
    const bytes = await readInput(path, io);
    inFile(path, () => parseManifest(bytes));
    manifests.push(bytes);
  }
  return manifests;
}

/** Reads the list of custodians, where there is one. @throws RecoveryCeremonyError CUSTODIANS_MALFORMED */
export async function readCustodians({ io, text }: CommandInput): Promise<Custodians | undefined> {
  const path = text('custodians');
  if (path === undefined) return undefined;
  const bytes = await readInput(path, io, MAX_CUSTODIANS_BYTES);
  return inFile(path, () => parseCustodians(bytes));
}

/** Finds the recovery key that backups are encrypted to. @throws UsageError for none */
export function recoveryKeyOf(backups: readonly Backup[]): string {
  const [first] = backups;
  if (first === undefined) throw new UsageError('--backup is needed');
  return first.statement.recoveryKey;
}

/** Names a backup in a line. */
export function nameBackup({ statement: { node, key, time, entries }, digest }: Backup): string {
  const epochs = entries.flatMap((entry) => (entry.kind === 'share' ? [`epoch ${entry.epoch}`] : []));
  const what =
    epochs.length > 0 ? epochs.join(', ') : `${entries.length} ${entries.length === 1 ? 'key' : 'keys'}`;
  return `${key} of ${node.namespace}/${node.environment} node ${node.index}, ${what}, ${time}\n    statement ${digest}`;
}
