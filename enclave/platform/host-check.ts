import { readFile } from 'node:fs/promises';
import { loadNative, type NativeAddon } from '../../shared/native/addon.ts';
import { BootError } from '../node/errors.ts';

const RNG_CURRENT = '/sys/class/misc/hw_random/rng_current';
const NSM_RNG = 'nsm-hwrng';

/**
 * Sees that the kernel takes its entropy from the NSM (init has seen to it, and this must not depend on that), and
 * closes this process to core dumps, debuggers and other programs. There is no swap in an enclave; memory is locked all
 * the same.
 * @throws BootError ENTROPY_UNTRUSTED, CORE_DUMPS_ENABLED
 */
export async function checkEnclaveHost(
  native: Pick<NativeAddon, 'forbidDumps' | 'forbidExec' | 'lockMemory'> = loadNative(),
  readSource: () => Promise<string> = () => readFile(RNG_CURRENT, 'utf8'),
): Promise<void> {
  const source = await readSource().catch((error: unknown) => {
    throw new BootError('ENTROPY_UNTRUSTED', "the kernel's source of entropy is not to be seen", {}, error);
  });
  if (source.trimEnd() !== NSM_RNG) {
    throw new BootError('ENTROPY_UNTRUSTED', "the kernel's entropy is not the NSM's", {
      source: source.trimEnd(),
    });
  }
  try {
    native.forbidDumps();
    native.forbidExec();
    native.lockMemory();
  } catch (error) {
    throw new BootError('CORE_DUMPS_ENABLED', 'the memory of this process cannot be closed', {}, error);
  }
}
