import { describe, expect, test } from 'vitest';
import { checkEnclaveHost } from '../../enclave/platform/host-check.ts';

function nativeOf(calls: string[], failing?: string) {
  const call = (name: string) => () => {
    if (name === failing) throw Object.assign(new Error(name), { code: 'EPERM' });
    calls.push(name);
  };
  return {
    forbidDumps: call('forbidDumps'),
    forbidExec: call('forbidExec'),
    lockMemory: call('lockMemory'),
  };
}

describe('the check of the host that an enclave runs on', () => {
  test('takes the NSM as the source of entropy, and closes the memory', async () => {
    const calls: string[] = [];
    await checkEnclaveHost(nativeOf(calls), async () => 'nsm-hwrng\n');
    expect(calls).toEqual(['forbidDumps', 'forbidExec', 'lockMemory']);
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

  test.each(['forbidDumps', 'forbidExec', 'lockMemory'])('does not start where %s fails', async (failing) => {
    await expect(checkEnclaveHost(nativeOf([], failing), async () => 'nsm-hwrng\n')).rejects.toMatchObject({
      name: 'BootError',
      code: 'CORE_DUMPS_ENABLED',
    });
  });
});
