import { dirname, resolve } from 'node:path';
import {
  assertSound,
  digestVault,
  type LocatedVault,
  locateVault,
  MAX_VAULT_BYTES,
} from '../../admin/vault/index.ts';
import { type CommandInput, type OptionSpec, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';

/** File that every verb of the noun reads when it is not told another one. */
export const VAULT_NAME = 'vault.yaml';

/** Option of every verb that reads the description of a vault. */
export const VAULT_OPTION = {
  vault: {
    type: 'string',
    value: 'FILE',
    description: `the description of the vault (default: ${VAULT_NAME})`,
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Option that names who runs the verb. */
export const ROLE_OPTION = {
  role: {
    type: 'string',
    value: 'ROLE',
    description: 'who you are: infrastructure, node-1, node-2 and so on',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Description of a vault as it lies on a disk. */
export interface VaultFile extends LocatedVault {
  readonly path: string;
  /** Folder of the file, absolute: `exchange/` and what is written by default lie in it. */
  readonly folder: string;
  readonly bytes: Uint8Array;
  /** SHA-384 of the bytes, hex. */
  readonly digest: string;
}

/**
 * Path of the description that a verb was told, or of vault.yaml in the folder that the verb is called in.
 */
export function vaultPath({ text, io }: Pick<CommandInput, 'text' | 'io'>): string {
  return text('vault') ?? (io.folder === undefined ? VAULT_NAME : resolve(io.folder, VAULT_NAME));
}

/**
 * Reads the description of a vault that is to be acted upon: one in which the offline check finds no error.
 * @throws as {@link readVaultFile}; VaultError VAULT_UNSOUND
 */
export async function readSoundVaultFile(input: Pick<CommandInput, 'text' | 'io'>): Promise<VaultFile> {
  const vault = await readVaultFile(input);
  inFile(vault.path, () => {
    assertSound(vault.document, Date.now());
  });
  return vault;
}

/**
 * Reads the description of a vault.
 * @throws UsageError when the file cannot be read; CliError INPUT_TOO_LARGE; VaultError
 */
export async function readVaultFile(input: Pick<CommandInput, 'text' | 'io'>): Promise<VaultFile> {
  const path = vaultPath(input);
  const bytes = await readInput(path, input.io, MAX_VAULT_BYTES);
  const located = inFile(path, () => locateVault(bytes));
  return { ...located, path, bytes, folder: dirname(resolve(path)), digest: digestVault(bytes) };
}
