import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

// Some packages are CommonJS and ask for node:… by require().
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { resolve as __resolve } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
].join('');

export interface BundleOptions {
  /** Folder of the sources and their node_modules. */
  readonly root: string;
  /** Source files below it, by the names that their bundles have in `out`, without `.mjs`. */
  readonly entries: Readonly<Record<string, string>>;
  /** Folder below which the bundles are written. */
  readonly out: string;
  /** Files in the place of packages that are not wanted, by their names. */
  readonly alias?: Readonly<Record<string, string>>;
  readonly plugins?: readonly Plugin[];
}

/**
 * Bundles programs of the sources, each with what it imports in a few files in the place of a thousand: a process spends most
 * of its start on looking for modules, reading them and dropping their types. What is imported late stays late, and a
 * module finds what lies beside its source as before: threads, templates, the addon. The same sources give the same
 * bytes wherever they lie, as long as `out` lies at the same place beside them.
 */
export async function bundlePrograms({ root, entries, out, ...options }: BundleOptions): Promise<void> {
  // A dependency of a working copy alone: an installed package has no sources to bundle.
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: root,
    // The order of the modules follows their paths: node_modules keeps its apparent path.
    preserveSymlinks: true,
    entryPoints: Object.entries(entries).map(([name, path]) => ({ in: join(root, path), out: name })),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    alias: { ...options.alias },
    external: ['esbuild'],
    plugins: [...(options.plugins ?? []), LAZY_BUILTINS, sourcePlaces(out)],
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    mainFields: ['module', 'main'],
    // Without 'import', which would give modules to packages that ask for others by require().
    conditions: ['module', 'node'],
    banner: { js: BANNER },
    // Names stay, for whoever reads a stack.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
}

/**
 * Takes Node's own modules as they are: an `import` of one would evaluate all that it exports, and so load undici for
 * whoever wants the server of node:http.
 */
const LAZY_BUILTINS: Plugin = {
  name: 'lazy-builtins',
  setup: (build) => {
    build.onResolve({ filter: /^[a-z0-9_:/]+$/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** Has each module know the place of its source, not of the bundle, by the way from one to the other. */
function sourcePlaces(out: string): Plugin {
  return {
    name: 'source-places',
    setup: (build) => {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        const url = `new URL(${JSON.stringify(relative(out, path))}, import.meta.url).href`;
        const folder = `__resolve(import.meta.dirname, ${JSON.stringify(relative(out, dirname(path)))})`;
        const contents = code
          .replaceAll(/\bimport\.meta\.dirname\b/g, () => folder)
          .replaceAll(/\bimport\.meta\.url\b/g, () => url);
        return { loader: 'ts', contents };
      });
    },
  };
}
