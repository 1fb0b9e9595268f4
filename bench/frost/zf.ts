import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Contestant, STEPS, type Times } from './contestant.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Opens the Zcash Foundation's crates as a program of their own, built where it was not; undefined without cargo. */
export function openZf(): Contestant | undefined {
  let folder: string;
  try {
    folder = execFileSync(join(ROOT, 'scripts/zf-frost.sh'), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
  } catch {
    return undefined;
  }
  return {
    name: 'ZF native',
    time(suite, threshold, participants, count): Times {
      const output = execFileSync(join(folder, 'zf-frost'), [
        suite,
        ...[threshold, participants, count].map(String),
      ]);
      const [commit, sign, aggregate, generate] = output.toString('utf8').trim().split(' ').map(Number);
      if (commit === undefined || sign === undefined || aggregate === undefined || generate === undefined)
        throw new Error(`expected ${STEPS.length} times of zf-frost`);
      return { commit, sign, aggregate, generate };
    },
  };
}
