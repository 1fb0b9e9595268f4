import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A request to the program of `go/`; byte strings are hex. */
export interface PeerRequest {
  readonly do:
    'verify' | 'sign' | 'sign-deterministically' | 'encrypt' | 'decrypt' | 'mac' | 'agree' | 'open' | 'seal';
  readonly algorithm?: string;
  readonly kind?: string;
  readonly payload?: string;
  readonly key?: string;
  readonly signature?: string;
  readonly secret?: string;
  readonly nonce?: string;
  readonly context?: string;
}

export interface PeerResponse {
  readonly valid: boolean;
  readonly bytes: string;
  readonly publicKey: string;
  readonly error: string;
}

/** Asks the program that scripts/key-peer.sh has made, once for all requests. */
export function askPeer(folder: string, requests: readonly PeerRequest[]): readonly PeerResponse[] {
  const input = requests.map((request) => JSON.stringify(request)).join('\n');
  const { status, stdout, stderr } = spawnSync(join(folder, 'key-peer'), {
    input,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PeerResponse);
}
