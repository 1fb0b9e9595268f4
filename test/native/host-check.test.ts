import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkEnclaveHost } from '../../enclave/platform/host-check.ts';
import { loadNative } from '../../shared/native/addon.ts';

function nativeOf(calls: string[], failing?: string) {
  const call = (name: string) => () => {
    if (name === failing) throw Object.assign(new Error(name), { code: 'EPERM' });
    calls.push(name);
  };
  return {
    forbidDumps: call('forbidDumps'),
    forbidExec: call('forbidExec'),
    requireNoSwap: call('requireNoSwap'),
  };
}

describe('the check of the host that an enclave runs on', () => {
  test('takes the NSM as the source of entropy, and closes the memory', async () => {
    const calls: string[] = [];
    await checkEnclaveHost(nativeOf(calls), async () => 'nsm-hwrng\n');
    expect(calls).toEqual(['forbidDumps', 'forbidExec', 'requireNoSwap']);
  });

  test.each(['virtio_rng.0\n', '', 'none\n', 'nsm-hwrng.1\n', 'tpm-rng-0\n'])(
    'does not start on entropy from %j',
    async (source) => {
      const calls: string[] = [];
      await expect(checkEnclaveHost(nativeOf(calls), async () => source)).rejects.toMatchObject({
        name: 'BootError',
        code: 'ENTROPY_UNTRUSTED',
      });
      expect(calls).toEqual([]);
    },
  );

  test('does not start where the source is not to be seen', async () => {
    await expect(
      checkEnclaveHost(nativeOf([]), () => Promise.reject(new Error('ENOENT'))),
    ).rejects.toMatchObject({ name: 'BootError', code: 'ENTROPY_UNTRUSTED' });
  });

  test.each(['forbidDumps', 'forbidExec', 'requireNoSwap'])(
    'does not start where %s fails',
    async (failing) => {
      await expect(checkEnclaveHost(nativeOf([], failing), async () => 'nsm-hwrng\n')).rejects.toMatchObject({
        name: 'BootError',
        code: 'CORE_DUMPS_ENABLED',
      });
    },
  );
});

describe('the memory of an enclave', () => {
  test('is given back to the kernel by V8 as that of any other process', { timeout: 60_000 }, () => {
    const program = join(import.meta.dirname, 'programs/freed-memory.ts');
    const { status, signal, stderr } = spawnSync(process.execPath, ['--max-semi-space-size=4', program]);
    expect({ status, signal, stderr: stderr.toString() }).toMatchObject({ status: 0, signal: null });
  });

  test('must have no swap that it could be written to', () => {
    const [, ...areas] = readFileSync('/proc/swaps', 'utf8').trimEnd().split('\n');
    const attempt = () => loadNative().requireNoSwap();
    if (areas.length === 0) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(expect.objectContaining({ code: 'EPERM' }));
  });
});
