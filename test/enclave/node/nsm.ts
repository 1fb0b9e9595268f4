import { createNsmClient, type NsmClient } from '../../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';

const INSTANCE = 'i-0123456789abcdef0';
const root = await NitroRoot.create(Date.now());

/** A fresh NSM whose PCR0, PCR1 and PCR2 are full of these bytes. */
export function openNsm({ clock = Date.now, fill = [1, 2, 3] } = {}): NsmClient {
  const measured = new Map(fill.map((byte, index) => [index, new Uint8Array(48).fill(byte)]));
  return createNsmClient(
    new EmulatedNsm({
      root,
      instanceId: INSTANCE,
      moduleId: `${INSTANCE}-enc0123456789abcdef`,
      measured,
      clock,
    }),
  );
}
