import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Runs a verb of log-peers (test/audit/log/peers): JSON in, JSON out. */
export async function askPeers(folder: string, verb: string, input: unknown): Promise<unknown> {
  const child = spawn(join(folder, 'log-peers'), [verb], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [output, errors] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.end(JSON.stringify(input, encodeBytes));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0)
    throw new Error(`log-peers ${verb} ended with ${String(code)}: ${(await errors).slice(0, 500)}`);
  return JSON.parse(await output);
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Bytes are base64 in Go's JSON; Node has made an object of a Buffer before the replacer sees it. */
function encodeBytes(this: unknown, key: string, value: unknown): unknown {
  const holder = (this as Record<string, unknown>)[key];
  return holder instanceof Uint8Array ? Buffer.from(holder).toString('base64') : value;
}
