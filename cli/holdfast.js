#!/usr/bin/env node
// The only file that runs on whatever Node the machine has: it starts the Node that package.json pins.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'main.ts');
// Node strips no types below node_modules: the package holds JavaScript in their place.
const main = existsSync(source) ? source : join(here, '..', 'dist', 'library', 'cli', 'main.js');
// The compile cache lies beside the code and is no less trusted: it halves the start, and no command holds a TypeScript
// parser in memory.
const cache = join(here, '..', 'node_modules', '.cache', 'holdfast');

// A door runs for months beside a client: with Node's own limit the heap's young generation alone grows to 50 MB, and
// each thread of the C library keeps a pool of freed memory.
const isDoor = process.argv[2] === 'gateway';
const flags = isDoor ? ['--max-semi-space-size=2'] : [];
const environment = {
  NODE_COMPILE_CACHE: cache,
  ...(isDoor ? { MALLOC_ARENA_MAX: '1' } : {}),
  ...process.env,
};

function findPinnedNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), 'bin', 'node');
  } catch {
    return undefined;
  }
}

const pinned = findPinnedNode();
const node = pinned ?? process.execPath;
const isRecent = Number(process.versions.node.split('.')[0]) >= 26;
if (isDoor && (isRecent || pinned !== undefined) && process.execve !== undefined) {
  // In the place of this process, so that nothing of it stays in memory and signals arrive by themselves.
  process.execve(node, [node, ...flags, main, ...process.argv.slice(2)], environment);
}
if (pinned === undefined || pinned === process.execPath) {
  if (!isRecent) {
    process.stderr.write(
      `holdfast: Node 26 or later is needed, this is ${process.version}; "npm ci" in the project's folder brings it\n`,
    );
    process.exit(2);
  }
  // Worker threads read the cache's place from this variable.
  process.env.NODE_COMPILE_CACHE ??= cache;
  nodeModule.enableCompileCache?.(cache);
  await import(main);
} else {
  const child = spawn(pinned, [...flags, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: environment,
  });
  // The sender of a signal to the whole group has reached the command by now. A Node that is about to exit has given up
  // its handlers, and one more signal in that moment would take its exit code away.
  const passOn = (signal) => setTimeout(() => child.kill(signal), 250);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, passOn);
  // A terminal sends Ctrl-C to both processes by itself.
  process.on('SIGINT', () => process.stdin.isTTY || passOn('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`holdfast: the pinned Node does not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
