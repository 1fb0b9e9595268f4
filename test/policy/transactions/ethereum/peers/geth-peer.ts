import { spawnSync } from 'node:child_process';
import { findMadeOrSay } from '../../../../support/find-made.ts';

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
  const folder = findMadeOrSay('the Ethereum decoder was not held against go-ethereum', 'geth-peer.sh');
  return folder && `${folder}/peer`;
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
