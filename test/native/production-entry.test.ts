import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const canRun = existsSync(join(ROOT, 'build/holdfast.node')) && !existsSync('/dev/nsm');

describe.skipIf(!canRun)('the program of the image', () => {
  test('ends where there is no /dev/nsm, whatever it is told, and leaves the code with init', () => {
    const { status, output } = spawnSync(
      process.execPath,
      [join(ROOT, 'enclave/main.ts'), '--nsm', 'emulated', '--local'],
      {
        encoding: 'utf8',
        env: { NSM: 'emulated', HOLDFAST_LOCAL: '1', NODE_ENV: 'test' },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    );
    expect(status).toBe(1);
    expect(output[3]).toBe('NSM_FAILED');
  });
});
