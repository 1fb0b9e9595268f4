import { readFile } from 'node:fs/promises';
import { loadNative, type NativeAddon } from '../../shared/native/addon.ts';
import { BootError } from '../node/errors.ts';

const RNG_CURRENT = '/sys/class/misc/hw_random/rng_current';
const NSM_RNG = 'nsm-hwrng';

/**
 * Checks that the kernel takes its entropy from the NSM, without relying on init's check of the same, and closes this
 * process to core dumps, debuggers and other programs. A machine with swap is refused; locked memory is none that V8 can
 * give back.
 *
 * @throws BootError ENTROPY_UNTRUSTED, CORE_DUMPS_ENABLED
 */
export async function checkEnclaveHost(
  native: Pick<NativeAddon, 'forbidDumps' | 'forbidExec' | 'requireNoSwap'> = loadNative(),
  readSource: () => Promise<string> = () => readFile(RNG_CURRENT, 'utf8'),
): Promise<void> {
  const source = await readSource().catch((error: unknown) => {
    throw new BootError('ENTROPY_UNTRUSTED', `cannot read ${RNG_CURRENT}`, {}, error);
  });
  if (source.trimEnd() !== NSM_RNG) {
    throw new BootError('ENTROPY_UNTRUSTED', `expected the entropy source ${NSM_RNG}`, {
      source: source.trimEnd(),
    });
  }
  try {
    native.forbidDumps();
    native.forbidExec();
    native.requireNoSwap();
  } catch (error) {
    throw new BootError(
      'CORE_DUMPS_ENABLED',
      'core dumps, other programs or swap cannot be forbidden',
      {},
      error,
    );
  }
}
