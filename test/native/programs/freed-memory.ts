import { setTimeout as sleep } from 'node:timers/promises';
import { checkEnclaveHost } from '../../../enclave/platform/host-check.ts';
import { loadNative } from '../../../shared/native/addon.ts';

/** Closes its memory as an enclave does, then makes and drops so much that V8 gives pages back to the kernel. */

const OBJECTS = 200_000;
const ROUNDS = 20;

const native = loadNative();
// The machine of a test may have swap, which an enclave's has not.
const requireNoSwap = () => {
  try {
    native.requireNoSwap();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
};
const closing = {
  forbidDumps: () => native.forbidDumps(),
  forbidExec: () => native.forbidExec(),
  requireNoSwap,
};
await checkEnclaveHost(closing, () => Promise.resolve('nsm-hwrng\n'));
for (let round = 0; round < ROUNDS; round += 1) {
  const dropped = Array.from({ length: OBJECTS }, (_, index) => ({ index, text: `${index}`, list: [index] }));
  if (dropped.length !== OBJECTS) throw new RangeError('expected all objects');
  await sleep(5);
}
