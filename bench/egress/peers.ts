import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'peers');
const FLAGS = ['-std=gnu17', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];

/** What is compiled for a run, into a folder of its own. */
export interface Peers {
  /** The generator of load and the target behind the proxies. */
  readonly load: string;
  readonly spliceRelay: string;
  /** A library to preload into AWS's vsock-proxy. */
  readonly vsockShim: string;
}

/** Needs a C compiler: `cc`. */
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
