import { errnoName, loadNative, type NativeAddon } from '../../shared/native/addon.ts';
import type { NsmDevice } from '../nsm/device.ts';
import { NsmError } from '../nsm/errors.ts';

function deviceFailure(message: string, cause: unknown): NsmError {
  return new NsmError('NSM_FAILED', message, { system: errnoName(cause) }, cause);
}

/**
 * The real Nitro Secure Module. Without /dev/nsm this is an error and nothing else is tried.
 * @throws NsmError NSM_FAILED; TransportError TRANSPORT_UNAVAILABLE where the addon is missing
 */
export function openNsmDevice(
  native: Pick<NativeAddon, 'openNsm' | 'exchangeNsm' | 'close'> = loadNative(),
): NsmDevice {
  let descriptor: number;
  try {
    descriptor = native.openNsm();
  } catch (error) {
    throw deviceFailure('/dev/nsm cannot be opened', error);
  }
  let running = 0;
  let isClosed = false;
  return {
    async exchange(request) {
      if (isClosed) throw new NsmError('NSM_FAILED', 'the device was closed');
      running += 1;
      try {
        return await native.exchangeNsm(descriptor, request);
      } catch (error) {
        if (error instanceof TypeError) throw error;
        throw deviceFailure('/dev/nsm does not answer', error);
      } finally {
        running -= 1;
        if (isClosed && running === 0) native.close(descriptor);
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      // A number that is closed under a running request could by then be another file's.
      if (running === 0) native.close(descriptor);
    },
  };
}
