import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../../scripts/log-peers.sh');

/**
 * Finds the folder of the programs that scripts/log-peers.sh makes of the libraries of others: witnesses, and log-peers,
 * which verifies logs by x/mod's, torchwood's and tessera's code. Undefined where they were not made.
 */
export function findLogPeerPrograms(): string | undefined {
  const { status, stdout } = spawnSync(SCRIPT, ['--path'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

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
