/**
 * Bytes that the decoder of each chain adds to the image, minified: by itself, and with the hashes, curves and readers
 * that it imports (which other parts of the image have, too).
 *
 * node bench/decoders.ts
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const CHAINS = ['ethereum', 'bitcoin', 'tezos', 'solana'] as const;

/** Bundles a chain's decoder as the image is bundled; `own` counts the files of its folder alone. */
async function measure(chain: (typeof CHAINS)[number]) {
  const entry = fileURLToPath(new URL(`../policy/transactions/${chain}/index.ts`, import.meta.url));
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    outfile: `${chain}.js`,
  });
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error(`expected a bundle of ${chain}`);
  const inputs = Object.entries(output.inputs);
  const sum = (parts: typeof inputs) =>
    parts.reduce((bytes, [, { bytesInOutput }]) => bytes + bytesInOutput, 0);
  return {
    own: sum(inputs.filter(([path]) => path.includes(`policy/transactions/${chain}/`))),
    noble: sum(inputs.filter(([path]) => path.includes('node_modules/@noble/'))),
    zod: sum(inputs.filter(([path]) => path.includes('node_modules/zod/'))),
    all: output.bytes,
  };
}

const say = (line: string) => process.stdout.write(`${line}\n`);
say(`${'chain'.padEnd(10)}${['own', 'noble', 'zod', 'bundle'].map((name) => name.padStart(10)).join('')}`);
for (const chain of CHAINS) {
  const { own, noble, zod, all } = await measure(chain);
  say(`${chain.padEnd(10)}${[own, noble, zod, all].map((bytes) => String(bytes).padStart(10)).join('')}`);
}
