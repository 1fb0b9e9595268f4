import { join } from 'node:path';
import { build } from 'esbuild';
import type { FunctionName } from './code.ts';

/** Longest line of a bundle, so that a template with one inside can still be read and compared. */
const LINE_LIMIT = 120;

/** Functions that lie in a template as people read it: not minified. */
const READABLE: ReadonlySet<FunctionName> = new Set(['populate-secret']);

/**
 * Bundles a function into one file: the same bytes wherever it is built, with this version of esbuild. The AWS SDK stays
 * outside: Lambda's runtime has it, and AWS mends it there.
 */
export async function buildFunction(name: FunctionName): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, name, 'index.ts')],
    // Paths in comments of the bundle are relative to this folder, wherever it is.
    absWorkingDir: join(import.meta.dirname, '../..'),
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    charset: 'ascii',
    legalComments: 'none',
    external: ['@aws-sdk/*'],
    lineLimit: LINE_LIMIT,
    minify: !READABLE.has(name),
    treeShaking: true,
  });
  return outputFiles[0]?.text ?? '';
}
