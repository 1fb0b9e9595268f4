import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../../scripts/geth-peer.sh', import.meta.url));

export type GethRequest =
  | { readonly kind: 'transaction' | 'authorization' | 'message'; readonly bytes: string }
  | { readonly kind: 'typed-data'; readonly document: string };

/** What go-ethereum makes of a payload: why it refuses it, or the digest in hex and the fields. */
export interface GethResponse {
  readonly error?: string;
  readonly digest?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Finds the reader by go-ethereum's types; undefined, said loudly, where scripts/geth-peer.sh has made none. */
export function findGeth(): string | undefined {
  const { status, stdout } = spawnSync(SCRIPT, ['--path'], { encoding: 'utf8' });
  if (status === 0) return `${stdout.trim()}/peer`;
  process.stderr.write(
    '\nSKIPPED: the Ethereum decoder was not held against go-ethereum: scripts/geth-peer.sh has made no reader\n\n',
  );
  return undefined;
}

/** Has go-ethereum read payloads, one response for each. */
export function askGeth(program: string, requests: readonly GethRequest[]): GethResponse[] {
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join('');
  const { status, stdout } = spawnSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`the reader by go-ethereum ended with ${status}`);
  const responses = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as GethResponse);
  if (responses.length !== requests.length) throw new Error('expected one response for each request');
  return responses;
}
