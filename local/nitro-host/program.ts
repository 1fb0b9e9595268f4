import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
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
/** Folder of the bundle that was made last, by the digest of all that it was made from. */
const BUNDLES = join(PROJECT, 'node_modules/.cache/holdfast-programs');
/** How folders begin that are being filled or removed. */
const PART = 'part-';
/** After this long nobody fills or removes one any more. */
const MAX_PART_AGE_MS = 3_600_000;

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
  if (change === undefined) await takeBundle(folder);
  else await bundle(folder);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Takes the bundle that was made of the same code before, which computes for seconds, or makes it. */
async function takeBundle(folder: string): Promise<void> {
  const made = join(BUNDLES, await digestCode(folder));
  const out = dirname(programEntry(folder));
  try {
    await cp(made, out, { recursive: true });
  } catch {
    await rm(out, { recursive: true, force: true });
    await bundle(folder);
    // A working copy that is read-only, full or another user's does without: a cache is no condition.
    await keepBundle(out, made).catch(() => undefined);
  }
}

/** Keeps a bundle in the place of all others. Another process may do the same now: each puts a whole folder in place. */
async function keepBundle(out: string, made: string): Promise<void> {
  await mkdir(BUNDLES, { recursive: true });
  const part = await mkdtemp(join(BUNDLES, PART));
  await cp(out, part, { recursive: true });
  await rename(part, made).catch(() => rm(part, { recursive: true, force: true }));
  await dropOthers(made);
}

/** Removes bundles of other code, and parts that somebody has left long ago. */
async function dropOthers(made: string): Promise<void> {
  for (const name of await readdir(BUNDLES)) {
    const path = join(BUNDLES, name);
    if (path === made) continue;
    if (!name.startsWith(PART)) {
      // Out of its place first: whoever copies it now fails, and takes no half of it.
      const part = await mkdtemp(join(BUNDLES, PART));
      await rename(path, part).catch(() => undefined);
      await rm(part, { recursive: true, force: true });
    } else if (Date.now() - (await stat(path)).mtimeMs > MAX_PART_AGE_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** Computes the digest of what a bundle is made from: names and bytes, those of the packages by package-lock.json. */
export async function digestCode(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of (await listCopied(folder)).toSorted()) {
    const bytes = await readFile(join(folder, path));
    hash.update(JSON.stringify([path, bytes.length])).update(bytes);
  }
  return hash.digest('hex');
}

async function listCopied(folder: string): Promise<string[]> {
  const files = COPIED.filter((name) => name.endsWith('.json'));
  for (const name of COPIED.filter((copied) => !files.includes(copied))) {
    const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
    for (const entry of entries)
      if (entry.isFile()) files.push(relative(folder, join(entry.parentPath, entry.name)));
  }
  return files;
}

async function bundle(folder: string): Promise<void> {
  await bundlePrograms({
    root: folder,
    entries: { [ENTRY]: 'local/enclave-main.ts' },
    out: dirname(programEntry(folder)),
    // As in an image: see enclave/unlock/absent-credential-provider.ts.
    alias: {
      '@aws-sdk/credential-provider-node': join(folder, 'enclave/unlock/absent-credential-provider.ts'),
    },
  });
}
