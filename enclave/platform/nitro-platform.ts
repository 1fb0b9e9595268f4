import { AWS_NITRO_ROOT_G1 } from '../../attestation/index.ts';
import { amazonTrustRoots } from '../../shared/aws/trust-roots.ts';
import { createNativeGroups } from '../../shared/frost/groups/native-groups.ts';
import { loadNative } from '../../shared/native/addon.ts';
import { openVsockTransport } from '../../shared/native/vsock-transport.ts';
import type { Platform } from '../node/platform.ts';
import { createNativeCurves } from '../keys/index.ts';
import { checkEnclaveHost } from './host-check.ts';
import { openNsmDevice } from './nsm-device.ts';

/**
 * Opens the only platform of the image: /dev/nsm, AF_VSOCK and the roots of Amazon. There are no options, and nothing
 * takes the place of a part that is missing.
 * @throws TransportError TRANSPORT_UNAVAILABLE; NsmError NSM_FAILED
 */
export function openNitroPlatform(): Platform {
  const native = loadNative();
  return {
    nsm: openNsmDevice(native),
    transport: openVsockTransport(native),
    curves: createNativeCurves(native),
    nitroRoot: AWS_NITRO_ROOT_G1,
    groups: createNativeGroups(native),
    kmsRoots: amazonTrustRoots(),
    systemClock: Date.now,
    checkHost: () => checkEnclaveHost(native),
  };
}
