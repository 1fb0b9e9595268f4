import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

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

/** Copy of the enclave's code in a folder of its own: the measured code stays as it is while the project changes. */
export interface Program {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Copies the project's code as it is now, as the build of an image would. */
export async function copyProgram(): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-program-'));
  for (const name of COPIED) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  if (existsSync(join(PROJECT, ADDON))) await cp(join(PROJECT, ADDON), join(folder, ADDON));
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
