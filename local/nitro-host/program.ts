import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { bundlePrograms } from './bundle.ts';

const PROJECT = resolve(import.meta.dirname, '..', '..');
const COPIED = [
  'attestation',
  'audit',
  'policy',
  'enclave',
  'shared',
  'local',
  'package.json',
  'package-lock.json',
];
/** Addon, compiled from files that are copied; absent on a machine without a compiler. */
const ADDON = 'build/holdfast.node';

/** Copy of the enclave's code in a folder of its own: what is measured and run stays as it is while the project changes. */
export interface Program {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Name of what runs, without `.mjs`: the sources beside it are what is measured. */
const ENTRY = 'enclave-main';

/** Path of what runs of a program in a folder that {@link copyProgram} has made. */
export const programEntry = (folder: string): string => join(folder, 'bundle', `${ENTRY}.mjs`);

/**
 * Copies the project's code as it is now, and bundles it, as the build of an image would.
 * @param change changes the copy in its folder before it is bundled: another image
 */
export async function copyProgram(change?: (folder: string) => Promise<void>): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-program-'));
  for (const name of COPIED) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  if (existsSync(join(PROJECT, ADDON))) await cp(join(PROJECT, ADDON), join(folder, ADDON));
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  await change?.(folder);
  await bundlePrograms({
    root: folder,
    entries: { [ENTRY]: 'local/enclave-main.ts' },
    out: dirname(programEntry(folder)),
    // As in an image: see enclave/unlock/absent-credential-provider.ts.
    alias: {
      '@aws-sdk/credential-provider-node': join(folder, 'enclave/unlock/absent-credential-provider.ts'),
    },
  });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
