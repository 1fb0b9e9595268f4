import { parentPort, workerData } from 'node:worker_threads';
import { createHashWorker } from '../../attestation/eif/hash-worker.ts';
import type { HashWorkerMessage } from './hash-worker.ts';

const slots = workerData as readonly Uint8Array[];
const work = createHashWorker();

parentPort?.on('message', (message: HashWorkerMessage) => {
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
