/** Wallet backends that use the client library as it is: attestation, signed requests, responses read by schema. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { connectNode } from '../../client/index.ts';
import { awaitTask, tell } from './child.ts';
import { fromWireTrust, type WireTrust } from './wire-trust.ts';

export interface NativeTask {
  readonly url: string;
  readonly trust: WireTrust;
  readonly clients: readonly { readonly id: string; readonly privateKey: string }[];
  readonly connections: number;
  readonly warmUpMs: number;
  readonly milliseconds: number;
}

export type ClientTold =
  | 'measuring'
  | { readonly count: number; readonly milliseconds: number; readonly latencies: readonly number[] };

const task = await awaitTask<NativeTask>();
const clients = await Promise.all(
  task.clients.map(({ id, privateKey }) =>
    connectNode({
      url: task.url,
      trust: fromWireTrust(task.trust),
      clientId: id,
      privateKey: createPrivateKey(privateKey),
    }),
  ),
);

async function run(milliseconds: number) {
  const latencies: number[] = [];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: task.connections }, async (_, index) => {
      const client = clients[index % clients.length];
      while (performance.now() < start + milliseconds) {
        const sent = performance.now();
        await client?.sign({
          key: 'p256',
          algorithm: 'ecdsa-p256-sha256',
          payload: { kind: 'digest', digest: randomBytes(32).toString('hex') },
        });
        latencies.push(performance.now() - sent);
      }
    }),
  );
  return { count: latencies.length, milliseconds: performance.now() - start, latencies };
}

await run(task.warmUpMs);
tell('measuring');
tell(await run(task.milliseconds));
for (const client of clients) client.close();
