import { dirname, resolve } from 'node:path';
import { assertVersion, parseReleaseKey, type ReleaseKey } from '../../../admin/artifacts/index.ts';
import { MAX_VAULT_BYTES, parseVault, type VaultDocument } from '../../../admin/vault/index.ts';
import { AWS_OPTIONS } from '../../common/aws.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../../common/command.ts';
import { inFile } from '../../common/in-file.ts';

const MAX_KEY_BYTES = 4096;

/** Options of verbs that need a release. */
export const RELEASE_OPTIONS = {
  vault: { type: 'string', value: 'FILE', description: 'vault.yaml, which names version, place and key' },
  from: {
    type: 'string',
    value: 'LOCATION',
    description: 'where releases are: s3://BUCKET/PREFIX, oci://REGISTRY/REPOSITORY or a folder',
  },
  key: {
    type: 'string',
    value: 'PEM',
    description: "public key of who makes releases (cosign's cosign.pub)",
  },
  out: {
    type: 'string',
    value: 'FOLDER',
    description: 'folder of releases on this machine (default: releases)',
  },
  older: {
    type: 'string',
    value: 'VERSION',
    description: 'fetch this version although a newer one is here, as for a roll-back',
  },
  region: { type: 'string', value: 'REGION', description: 'Region of the bucket (default: AWS_REGION)' },
  ...AWS_OPTIONS,
} as const satisfies Record<string, OptionSpec>;

/** What release is meant, where it comes from, and who has to have signed it. */
export interface ReleaseInput {
  readonly version: string;
  readonly from: string;
  readonly key: ReleaseKey;
  readonly folder: string;
  readonly older: string | undefined;
  readonly region: string | undefined;
}

/**
 * Reads which release is meant, from the options or from vault.yaml.
 * @throws UsageError; VaultError VAULT_MALFORMED; ReleaseError RELEASE_KEY_MALFORMED, RELEASE_VERSION_MALFORMED
 */
export async function readReleaseInput(input: CommandInput): Promise<ReleaseInput> {
  const { positionals, text, io } = input;
  const workingDirectory = io.folder ?? process.cwd();
  const path = text('vault');
  const document = path === undefined ? undefined : await readVault(path, input);
  const version = positionals[0] ?? document?.release.version;
  const keyPath = text('key');
  const pem = keyPath === undefined ? document?.release.publicKey : await readText(keyPath, input);
  // A folder in vault.yaml is one beside it.
  const beside =
    document?.release.from.includes('://') === false ? resolve(workingDirectory, dirname(path ?? '')) : '';
  const from =
    text('from') ?? (document === undefined ? undefined : resolveBeside(beside, document.release.from));
  if (version === undefined) throw new UsageError('RELEASE or --vault names the version');
  if (from === undefined) throw new UsageError('--from or --vault names the place of releases');
  if (pem === undefined) throw new UsageError('--key or --vault names the key of releases');
  if (pem === null)
    throw new UsageError(
      `${path} names no key of releases: write the PEM of cosign.pub there as release.publicKey, or give its file by --key`,
    );
  assertVersion(version);
  const older = text('older');
  if (older !== undefined && older !== version)
    throw new UsageError('--older repeats the version that is meant');
  return {
    version,
    from,
    key: keyPath === undefined ? parseReleaseKey(pem) : inFile(keyPath, () => parseReleaseKey(pem)),
    folder: resolve(workingDirectory, text('out') ?? 'releases'),
    older,
    region: document?.region,
  };
}

function resolveBeside(folder: string, from: string): string {
  return folder === '' ? from : resolve(folder, from);
}

async function readText(path: string, { io }: CommandInput): Promise<string> {
  return Buffer.from(await readInput(path, io, MAX_KEY_BYTES)).toString('utf8');
}

async function readVault(path: string, { io }: CommandInput): Promise<VaultDocument> {
  const bytes = await readInput(path, io, MAX_VAULT_BYTES);
  return inFile(path, () => parseVault(bytes));
}
