import { loadNative } from '../../shared/native/addon.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import { openVsockTransport } from '../../shared/native/vsock-transport.ts';

/**
 * Opens AF_VSOCK on the parent, which is CID 3 by definition: asking the kernel for the CID would take /dev/vsock, and
 * the unit's sandbox has no devices.
 * @throws TransportError TRANSPORT_UNAVAILABLE without the addon
 */
export function openParentTransport(): Transport {
  return openVsockTransport({ ...loadNative(), localCid: () => PARENT_CID });
}
