import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { buildFunction } from '../../deploy/functions/build.ts';
import { bundlePrograms } from '../../local/nitro-host/bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache');
/** Compiled code lies beside the bundle, for processes whose environment names no place for it. */
const STARTER = `import { enableCompileCache } from 'node:module';
enableCompileCache(new URL('compiled', import.meta.url).pathname);
await import('./main.mjs');
`;

/** Has the bundle hold the functions of deploy/functions, as the package does: each run of `vault apply` would build them. */
const BUILT_FUNCTIONS: Plugin = {
  name: 'built-functions',
  setup: (build) => {
    build.onLoad({ filter: /\/deploy\/functions\/build\.ts$/ }, async () => {
      const built: Record<string, string> = {};
      for (const name of ['config-signing', 'populate-secret'] as const)
        built[name] = await buildFunction(name);
      return { contents: `export const buildFunction = (name) => (${JSON.stringify(built)})[name];` };
    });
  },
};

/**
 * Bundles the command for the tests of a project, anew with each run: they start it hundreds of times. Vitest calls this
 * before the first of them.
 */
export async function setup(project: TestProject): Promise<void> {
  project.provide('commandBundle', await bundleCommand());
  project.onTestsRerun(async () => {
    await bundleCommand();
  });
}

/**
 * Bundles the command into the cache of this working copy; returns the path of what starts it. Another run may do the same
 * now: files come by one rename each, and those that others load later have their content in their names.
 */
async function bundleCommand(): Promise<string> {
  const place = join(CACHE, 'holdfast-command');
  await mkdir(place, { recursive: true });
  // Beside it: the bundle holds the ways from its place to that of the sources.
  const fresh = await mkdtemp(`${place}-`);
  try {
    await bundlePrograms({
      root: ROOT,
      entries: { main: 'cli/main.ts' },
      out: fresh,
      plugins: [BUILT_FUNCTIONS],
    });
    await writeFile(join(fresh, 'holdfast.mjs'), STARTER);
    const names = await readdir(fresh);
    // What begins is there last.
    for (const name of names.toSorted((a, b) => Number(a === 'main.mjs') - Number(b === 'main.mjs')))
      await rename(join(fresh, name), join(place, name));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return join(place, 'holdfast.mjs');
}
