import { join } from 'node:path';
import type { HoldfastCommand } from '../../../../local/testbed/holdfast-command.ts';
import { type VaultOptions, VaultTestbed } from '../../../../local/testbed/vault/index.ts';
import { HOLDFAST } from '../../../support/holdfast-command.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const PROJECT = join(import.meta.dirname, '../../../..');

/** The command of this working copy, and its script that signs releases. */
export const TOOLS = {
  holdfast: HOLDFAST,
  makeRelease: [process.execPath, join(PROJECT, 'scripts/make-release.ts')],
} as const;

const [node, ...words] = HOLDFAST;
/** The same command, which ends itself where the file kill-at.json in the folder of whoever runs it says. */
export const KILLABLE: HoldfastCommand = [
  node,
  '--import',
  join(import.meta.dirname, 'kill-at.ts'),
  ...words,
];

/** Opens a testbed whose people have the command of this working copy, or another one. */
export async function openTestbed(
  options: VaultOptions & { readonly holdfast?: HoldfastCommand } = {},
): Promise<VaultTestbed> {
  return await VaultTestbed.open(temporaryFolder(), { ...TOOLS, ...options });
}
