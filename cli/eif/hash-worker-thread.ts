import { parentPort, workerData } from 'node:worker_threads';
import { createSideWork } from '../../attestation/eif/side-work.ts';
import type { SideMessage } from './hash-worker.ts';

const slots = workerData as readonly Uint8Array[];
const work = createSideWork();

parentPort?.on('message', (message: SideMessage) => {
  if (message === 'finish') {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    parentPort?.postMessage(work.finish());
    parentPort?.close();
    return;
  }
  const { slot, length, application } = message;
  work.update(slots[slot]?.subarray(0, length) ?? new Uint8Array(), application);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
  parentPort?.postMessage(slot);
});
