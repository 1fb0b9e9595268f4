import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleEntry } from './image/bundle.ts';
import { ROOT } from './image/inputs.ts';
import { encodeTar } from './image/tar.ts';

// Makes the archive of a cold machine: the pinned Node, one module of the program, one of the thread for its records,
// the addon, and what tells of them. The same commit gives the same bytes where the addon was compiled by the same compiler
// with the same C library: BUILT-WITH says by which.
// Usage: node scripts/build-cold.ts FILE    prints SHA-256, length and compiler as JSON

const STARTER = `#!/bin/sh
# Starts the cold node's commands on the Node beside it; nothing of the machine's own is used.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/node" --disable-proto=throw "$here/main.js" "$@"
`;

const [output] = process.argv.slice(2);
if (output === undefined) {
  process.stderr.write('usage: node scripts/build-cold.ts FILE\n');
  process.exit(2);
}
const nodePackage = createRequire(import.meta.url).resolve(
  `node-${process.platform}-${process.arch}/package.json`,
);
const addon = readFileSync(join(ROOT, 'build', 'holdfast.node'));
/** Compilers write their names into what they make (section .comment), so that this is said of these very bytes. */
const compiler =
  /(?:GCC: \([^)\0]{1,100}\) |(?:[A-Za-z]{1,20} )?clang version )[^\0]{1,100}/.exec(
    addon.toString('latin1'),
  )?.[0] ?? 'unknown';
const program = await bundleEntry('cli/cold/main.ts');
const worker = await bundleEntry('parent/store/sqlite-worker.ts');
const files: Readonly<Record<string, Uint8Array>> = {
  'main.js': program.code,
  'sqlite-worker.js': worker.code,
  'holdfast.node': addon,
  'BUILT-WITH': Buffer.from(
    `node           ${process.version}, ${process.platform}-${process.arch}, from npm\nholdfast.node  ${compiler}\n`,
  ),
  LICENSE: readFileSync(join(ROOT, 'LICENSE')),
};
const executables: Readonly<Record<string, Uint8Array>> = {
  node: readFileSync(join(nodePackage, '..', 'bin', 'node')),
  holdfast: Buffer.from(STARTER),
};
const sums = Object.entries({ ...files, ...executables })
  .map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
  .toSorted((left, right) => (left.slice(64) < right.slice(64) ? -1 : 1))
  .join('');
const archive = encodeTar([
  { kind: 'directory', path: 'holdfast-cold' },
  ...Object.entries({ ...files, SHA256SUMS: Buffer.from(sums) }).map(
    ([name, content]) => ({ kind: 'file', path: `holdfast-cold/${name}`, content }) as const,
  ),
  ...Object.entries(executables).map(
    ([name, content]) =>
      ({ kind: 'file', path: `holdfast-cold/${name}`, content, isExecutable: true }) as const,
  ),
]);
writeFileSync(output, archive);
const sha256 = createHash('sha256').update(archive).digest('hex');
process.stdout.write(`${JSON.stringify({ sha256, bytes: archive.length, compiler })}\n`);
