import { join } from 'node:path';
import { type VaultOptions, VaultWorld } from '../../../../local/testbed/vault/index.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const PROJECT = join(import.meta.dirname, '../../../..');

/** The command of this working copy, and its script that signs releases. */
export const TOOLS = {
  holdfast: [process.execPath, join(PROJECT, 'cli/holdfast.js')],
  makeRelease: [process.execPath, join(PROJECT, 'scripts/make-release.ts')],
} as const;

/** Opens a world whose people have the command of this working copy. */
export async function openWorld(options: VaultOptions = {}): Promise<VaultWorld> {
  return await VaultWorld.open(temporaryFolder(), { ...TOOLS, ...options });
}
