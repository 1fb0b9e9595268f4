/**
 * Makes what the fuzzer runs: each target as one CommonJS file with the project's code and none of others', and its
 * seeds as files. `node bundle.ts FOLDER` writes `FOLDER/NAME.cjs` and `FOLDER/seeds/NAME/…`, and prints for each
 * target its name, its longest input and whether it is asynchronous.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { FuzzTarget } from './target.ts';

const TARGETS = new URL('targets/', import.meta.url);
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new TypeError('usage: bundle.ts FOLDER');

const names = readdirSync(TARGETS).map((file) => file.replace(/\.ts$/, ''));
for (const name of names) {
  const { target } = (await import(new URL(`${name}.ts`, TARGETS).href)) as { target: FuzzTarget };
  await build({
    stdin: {
      contents: `import { target } from './${name}.ts'; export const fuzz = (data) => target.fuzz(new Uint8Array(data));`,
      resolveDir: TARGETS.pathname,
      loader: 'ts',
    },
    outfile: join(folder, `${name}.cjs`),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2022',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
    // Seeds are for here, not for there.
    define: { 'import.meta.url': '"file:///"' },
  });
  const seeds = join(folder, 'seeds', name);
  rmSync(seeds, { recursive: true, force: true });
  mkdirSync(seeds, { recursive: true });
  for (const seed of target.seeds()) {
    writeFileSync(join(seeds, createHash('sha256').update(seed).digest('hex').slice(0, 16)), seed);
  }
  const isAsync = target.fuzz.constructor.name === 'AsyncFunction';
  process.stdout.write(`${name} ${target.maxBytes} ${isAsync ? 'async' : 'sync'}\n`);
}
