import { readFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import type { CpioEntry } from '../../../scripts/image/cpio.ts';
import { ROOT } from '../../../scripts/image/inputs.ts';

const PROGRAMS = join(import.meta.dirname, '../programs');
/** File of the parent's way to AF_VSOCK, and the one in its place between two emulated guests. */
const PARENT_VSOCK = join(ROOT, 'parent/common/vsock.ts');
const GUEST_VSOCK = join(PROGRAMS, 'guest-vsock.ts');
// Some dependencies are CommonJS and ask for node:… by require().
const BANNER =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);";
const THREAD = /siblingModule\(import\.meta\.url, '([a-z0-9-]+)'\)/g;

const OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  outdir: '/app',
  outExtension: { '.js': '.mjs' },
  platform: 'node',
  target: 'node26',
  format: 'esm',
  mainFields: ['module', 'main'],
  conditions: ['module', 'node', 'import'],
  external: ['pg-native'],
  banner: { js: BANNER },
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Makes the real parent of guest 3 write in small pieces: programs/small-writes.ts says why. */
const smallWrites: Plugin = {
  name: 'small-writes',
  setup(context) {
    context.onResolve({ filter: /\/vsock\.ts$/ }, ({ path, importer }) =>
      join(dirname(importer), path) === PARENT_VSOCK && importer !== GUEST_VSOCK
        ? { path: GUEST_VSOCK }
        : undefined,
    );
  },
};

/** Collects the files that threads are started from; at run time each is looked for beside the program. */
function collectThreads(threads: Set<string>): Plugin {
  return {
    name: 'threads',
    setup(context) {
      context.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path.includes(`${sep}node_modules${sep}`)) return undefined;
        const text = await readFile(path, 'utf8');
        for (const [, name] of text.matchAll(THREAD)) threads.add(join(dirname(path), `${name}.ts`));
        return { contents: text, loader: 'ts' };
      });
    },
  };
}

/**
 * Bundles programs of a guest, each to /app/NAME.mjs, with what they share, and the threads that they start, beside
 * them.
 */
export async function bundleGuestPrograms(entries: Readonly<Record<string, string>>): Promise<CpioEntry[]> {
  const threads = new Set<string>();
  const plugins = [smallWrites, collectThreads(threads)];
  const programs = await build({ ...OPTIONS, entryPoints: entries, splitting: true, plugins });
  // A thread has its own copy of what it shares with the program: it starts without the rest.
  const workers = await Promise.all(
    [...threads].map((path) =>
      build({ ...OPTIONS, entryPoints: [path], entryNames: basename(path, '.ts'), plugins }),
    ),
  );
  return [programs, ...workers].flatMap(({ outputFiles }) =>
    outputFiles.map(({ path, contents }): CpioEntry => ({
      path: path.slice(1),
      kind: 'file',
      content: contents,
    })),
  );
}
