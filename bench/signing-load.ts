/** A wallet backend on a thread of its own: so many requests at once for so long, and how long each took. */
import { createPrivateKey } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { connectNode, type NodeTrust } from '../client/index.ts';
import type { SignRequest } from '../shared/node/api.ts';

export interface Load {
  readonly url: string;
  readonly trust: NodeTrust;
  readonly clientId: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly request: SignRequest;
  readonly connections: number;
  readonly milliseconds: number;
  readonly warmUpMs: number;
}

export interface LoadResult {
  readonly count: number;
  readonly milliseconds: number;
  /** Of every request, in milliseconds, in ascending order. */
  readonly latencies: Float64Array;
}

/** Tells the main thread that the warm-up is over. */
export const MEASURING = 'measuring';

if (parentPort !== null) {
  const load = workerData as Load;
  const node = await connectNode({
    url: load.url,
    trust: load.trust,
    clientId: load.clientId,
    privateKey: createPrivateKey(load.privateKey),
    maxConnections: load.connections,
  });
  const runUntil = async (deadline: number, latencies: number[]) => {
    const lane = async () => {
      while (performance.now() < deadline) {
        const start = performance.now();
        await node.sign(load.request);
        latencies.push(performance.now() - start);
      }
    };
    await Promise.all(Array.from({ length: load.connections }, lane));
  };
  await runUntil(performance.now() + load.warmUpMs, []);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
  parentPort.postMessage(MEASURING);
  const latencies: number[] = [];
  const start = performance.now();
  await runUntil(start + load.milliseconds, latencies);
  const result: LoadResult = {
    count: latencies.length,
    milliseconds: performance.now() - start,
    latencies: Float64Array.from(latencies).sort(),
  };
  node.close();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
  parentPort.postMessage(result);
}
