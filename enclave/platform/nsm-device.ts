import { errnoName, loadNative, type NativeAddon } from '../../shared/native/addon.ts';
import type { NsmDevice } from '../nsm/device.ts';
import { NsmError } from '../nsm/errors.ts';

function deviceFailure(message: string, cause: unknown): NsmError {
  return new NsmError('NSM_FAILED', message, { system: errnoName(cause) }, cause);
}

/**
 * Opens the Nitro Secure Module. Where /dev/nsm is missing, nothing else is tried.
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
        throw deviceFailure('the request to /dev/nsm failed', error);
      } finally {
        running -= 1;
        if (isClosed && running === 0) native.close(descriptor);
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      // While a request runs, its descriptor stays open: a closed number could be given to another file.
      if (running === 0) native.close(descriptor);
    },
  };
}
