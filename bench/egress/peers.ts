import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'peers');
const FLAGS = ['-std=gnu17', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];

/** Programs compiled for a run, into a folder of its own. */
export interface Peers {
  /** Generator of load, and the target behind the proxies. */
  readonly load: string;
  readonly spliceRelay: string;
  /** Library to preload into AWS's vsock-proxy. */
  readonly vsockShim: string;
}

/** Compiles the programs. Needs a C compiler: `cc`. */
export function compilePeers(directory: string): Peers {
  const compile = (name: string, ...more: string[]) => {
    const out = join(directory, name);
    execFileSync('cc', [...FLAGS, ...more, '-o', out, join(FOLDER, `${name}.c`)]);
    return out;
  };
  return {
    load: compile('load'),
    spliceRelay: compile('splice-relay'),
    vsockShim: compile('vsock-shim', '-fPIC', '-shared'),
  };
}
