import { openParentTransport as openRealTransport } from '../../../parent/common/vsock.ts';
import type { Transport } from '../../../shared/transport/transport.ts';
import { betweenGuests } from './small-writes.ts';

/**
 * Opens the parent's transport in guest 3, in the place of parent/common/vsock.ts, so that the parent's writes get through.
 */
export function openParentTransport(): Transport {
  return betweenGuests(openRealTransport());
}
