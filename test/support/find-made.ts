import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../scripts');

/** Finds the folder that one of the scripts of made-once.sh has made; undefined where it has made none. */
export function findMade(script: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(join(SCRIPTS, script), [...args, '--path'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Finds a folder as {@link findMade} does, and says loudly where there is none.
 *
 * @param untested what no test has shown without it: `PSBTs were not shown to rust-bitcoin`
 */
export function findMadeOrSay(
  untested: string,
  script: string,
  ...args: readonly string[]
): string | undefined {
  const folder = findMade(script, ...args);
  if (folder === undefined) {
    const call = [`scripts/${script}`, ...args].join(' ');
    process.stderr.write(`\nSKIPPED: ${untested}: ${call} has made nothing for it\n\n`);
  }
  return folder;
}
