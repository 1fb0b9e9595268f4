import { join, resolve } from 'node:path';
import { describeRole, type Role } from '../../admin/vault/index.ts';
import { type Ceremony, firstCeremony } from '../../admin/vault/steps/index.ts';
import { AWS_OPTIONS } from '../common/aws.ts';
import { type CommandInput, type OptionSpec, UsageError } from '../common/command.ts';
import { readSoundVaultFile, ROLE_OPTION, VAULT_OPTION, type VaultFile } from './options.ts';

/** Option of every verb that reads what the roles tell each other. */
export const EXCHANGE_OPTION = {
  exchange: {
    type: 'string',
    value: 'FOLDER',
    description: 'what the roles tell each other, signed (default: exchange beside vault.yaml)',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Option of verbs that read, or keep, what a machine remembers of a role's runs. */
export const WORK_OPTION = {
  work: {
    type: 'string',
    value: 'FOLDER',
    description: 'what this machine remembers of your runs (default: work/ROLE beside vault.yaml)',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Options of verbs that look at, or do, the steps of one role. */
export const RUN_OPTIONS = {
  ...VAULT_OPTION,
  role: { ...ROLE_OPTION.role, required: true },
  'statement-key': {
    type: 'string',
    value: 'FILE',
    description:
      'your Ed25519 private key, by which the others know what you tell them (default: HOLDFAST_STATEMENT_KEY)',
  },
  'authority-key': {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: "Ed25519 private key of one of the node's configuration authorities",
  },
  ...EXCHANGE_OPTION,
  releases: {
    type: 'string',
    value: 'FOLDER',
    description: 'where "vault fetch" has put the release (default: releases beside vault.yaml)',
  },
  ...WORK_OPTION,
  root: {
    type: 'string',
    value: 'PEM',
    setting: 'root',
    description: "the trust anchor of attestation documents (default: AWS's own root)",
  },
  ...AWS_OPTIONS,
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Option of verbs that ask before they do anything. */
export const YES_OPTION = {
  yes: { type: 'boolean', description: 'do not ask; needed where there is no terminal' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Option of verbs that look at, or do, the steps of one stage alone. */
export const STAGE_OPTION = {
  stage: {
    type: 'string',
    value: 'STAGE',
    description:
      'only steps of this stage: 1, what is long-lived (keys, buckets, manifests), or 2, hosts and nodes (default: all)',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Reads of which stage a run of the first ceremony is. @throws UsageError */
export function readStage({ text }: CommandInput, { vault }: RunPlace): { readonly ceremony?: Ceremony } {
  const named = text('stage');
  if (named === undefined) return {};
  if (named !== '1' && named !== '2') throw new UsageError('--stage is 1 or 2');
  return { ceremony: { ...firstCeremony(vault.document), stage: named === '1' ? 1 : 2 } };
}

/** Who runs a verb, and where its files are. */
export interface RunPlace {
  readonly vault: VaultFile;
  readonly role: Role;
  /** Raw Ed25519 public key in hex that vault.yaml names for the role. */
  readonly publicKey: string;
  readonly statementKeyPath: string;
  readonly exchange: string;
  readonly releases: string;
  readonly work: string;
}

/** Reads who runs a verb, and where its files are. @throws UsageError; VaultError VAULT_… */
export async function readRunPlace(input: CommandInput): Promise<RunPlace> {
  const { text, io } = input;
  const vault = await readSoundVaultFile(input);
  const { role, statementKey: publicKey } = describeRole(vault.document, text('role') ?? '');
  const env = io.env ?? process.env;
  const statementKeyPath = text('statement-key') ?? env['HOLDFAST_STATEMENT_KEY'];
  if (statementKeyPath === undefined || statementKeyPath === '')
    throw new UsageError('--statement-key is required: here, or as HOLDFAST_STATEMENT_KEY');
  return {
    vault,
    role,
    publicKey,
    statementKeyPath,
    exchange: exchangeFolder(input, vault),
    releases: releasesFolder(input, vault),
    work: workFolder(input, vault, role),
  };
}

/** Folder of the exchange: the one that was named, or the one beside vault.yaml. */
export function exchangeFolder(input: CommandInput, vault: VaultFile): string {
  return placeOf(input, vault, 'exchange', 'exchange');
}

/** Folder of what this machine remembers of a role's runs. */
export function workFolder(input: CommandInput, vault: VaultFile, role: Role): string {
  return placeOf(input, vault, 'work', join('work', role));
}

/** Folder of the releases that were fetched: the one that was named, or the one beside vault.yaml. */
export function releasesFolder(input: CommandInput, vault: VaultFile): string {
  return placeOf(input, vault, 'releases', 'releases');
}

function placeOf(
  { text, io }: CommandInput,
  { folder }: VaultFile,
  option: 'exchange' | 'releases' | 'work',
  name: string,
): string {
  const given = text(option);
  if (given === '') throw new UsageError(`--${option} is a folder`);
  return given === undefined ? join(folder, name) : resolve(io.folder ?? process.cwd(), given);
}
