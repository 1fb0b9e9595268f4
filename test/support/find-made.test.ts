import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Scripts that `make test` starts before the tests that may need what they make. */
const INSTALLERS = ['run-checks', 'install-test-tools.sh', 'emulated-host.sh', 'systemd-machine.sh']
  .map((name) => read(`scripts/${name}`))
  .join('\n');

describe('what tests take from scripts', () => {
  it('is made before all tests run, so that none is skipped for want of a line in an installer', () => {
    const tests = globSync('test/**/*.ts', { cwd: ROOT, exclude: ['test/support/find-made.test.ts'] })
      .map(read)
      .join('\n');
    const named = globSync('scripts/*.sh', { cwd: ROOT })
      .filter((path) => read(path).includes('. "$HERE/made-once.sh"'))
      .map((path) => basename(path, '.sh'))
      .filter((name) => tests.includes(`${name}.sh'`));
    expect(named).toContain('nats-server');
    expect(named.filter((name) => !new RegExp(`[ /]${name}\\b`).test(INSTALLERS))).toEqual([]);
  });
});
