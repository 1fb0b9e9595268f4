import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { cosignCheckpoint, formatVerifierKey, parseSignedNote } from '../../audit/log/index.ts';
import { signingKeyFromSeed } from '../../audit/log/node-signatures.ts';

// Witnesses that verify nothing and keep nothing: what the node's side costs is what is measured.
const { count, delayMs } = workerData as { count: number; delayMs: number };

async function start(number: number): Promise<{ url: string; key: string }> {
  const seed = new Uint8Array(32).fill(number + 1);
  const signer = signingKeyFromSeed(`witness.example/${number}`, 'cosignature-ed25519', seed);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const { text } = parseSignedNote(body.subarray(body.indexOf('\n\n') + 2));
      const line = cosignCheckpoint(signer, text, Math.floor(Date.now() / 1_000));
      void sleep(delayMs).then(() => response.end(line));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, key: formatVerifierKey(signer.key) };
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
parentPort?.postMessage(await Promise.all(Array.from({ length: count }, (_, number) => start(number))));
