import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ImageError } from './errors.ts';
import { ROOT } from './inputs.ts';

export interface Bundle {
  /** ES module that needs nothing but Node and holdfast.node. */
  readonly code: Uint8Array;
  /** Files that went into the bundle and the bytes left of each, by path within the project, sorted. */
  readonly sources: readonly { readonly path: string; readonly bytes: number }[];
}

/** Packages that others want and the node does not: each stands for a module whose text says why. */
const ABSENT = {
  '@aws-sdk/credential-provider-node': join(ROOT, 'enclave/unlock/absent-credential-provider.ts'),
};
/** The modules of zod that write JSON Schema, 20 kB that no node runs. */
const WITHOUT_JSON_SCHEMA: Plugin = {
  name: 'without-json-schema',
  setup: ({ onResolve }) => {
    const path = join(ROOT, 'enclave/node/absent-json-schema.ts');
    onResolve({ filter: /\/(?:to-json-schema|json-schema-processors)\.js$/ }, ({ importer }) =>
      /\/node_modules\/zod\/v4\/[a-z]+\/[a-z-]+\.js$/.test(importer) ? { path } : undefined,
    );
  },
};
// Some dependencies are CommonJS and ask for node:… by require().
const BANNER =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);";

/**
 * Bundles the modules that an entry file reaches. The result does not depend on the folder that the project lies in.
 *
 * @throws ImageError `IMAGE_PACKAGE_FOREIGN`
 */
export async function bundleEntry(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    // The order of the modules follows their paths: node_modules keeps its apparent path.
    preserveSymlinks: true,
    entryPoints: [entry],
    bundle: true,
    alias: ABSENT,
    plugins: [WITHOUT_JSON_SCHEMA],
    // Namespaces of what is absent: zod looks processors up when a schema is written, which nothing asks for.
    logOverride: { 'import-is-undefined': 'silent' },
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: ['module', 'node', 'import'],
    banner: { js: BANNER },
    minify: true,
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  assertPackages(Object.keys(metafile.inputs));
  const [output] = Object.values(metafile.outputs);
  const code = outputFiles[0]?.contents;
  if (code === undefined || output === undefined)
    throw new Error('expected a bundle from esbuild, found no output');
  const sources = Object.entries(output.inputs)
    .map(([path, { bytesInOutput: bytes }]) => ({ path, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((left, right) => (left.path < right.path ? -1 : 1));
  return { code, sources };
}

/**
 * The nearest node_modules above a file has precedence, git ignores all of them, and only the project's own is held
 * against package-lock.json (check-node-modules.sh).
 */
function assertPackages(paths: readonly string[]): void {
  const foreign = paths.find(
    (path) => /(?:^|\/)node_modules\//.test(path) && !path.startsWith('node_modules/'),
  );
  if (foreign === undefined) return;
  throw new ImageError(
    'IMAGE_PACKAGE_FOREIGN',
    `packages come from the project's own node_modules, and ${foreign} does not: remove it, and find out who put it there`,
  );
}
