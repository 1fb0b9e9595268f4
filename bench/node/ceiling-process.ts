/** Ceiling of the cryptography alone on the enclave's core: a request's verification and one signature, in a loop. */
import { generateKeyPairSync, hash, randomBytes, sign, verify } from 'node:crypto';
import { generateKey } from '../../enclave/keys/index.ts';
import { toSigningInput } from '../../policy/transactions/index.ts';
import { openLocalCurves } from '../../local/noble-curves.ts';
import { isBlindPayload } from '../../shared/api/bodies.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import { awaitTask, tell } from './child.ts';

export interface CeilingTask {
  readonly request: SignRequest;
  readonly milliseconds: number;
}

/** Processor time for one request, in microseconds. */
export interface CeilingTold {
  readonly microseconds: number;
}

const BASE_BYTES = 420;

/**
 * Measures the processor time of one call, in microseconds: other work of the machine costs time of others, not this.
 */
function time(milliseconds: number, act: () => void): number {
  let count = 0;
  const before = process.cpuUsage();
  const end = performance.now() + milliseconds;
  do {
    act();
    count += 1;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const { request, milliseconds } = await awaitTask<CeilingTask>();
const client = generateKeyPairSync('ed25519');
const base = randomBytes(BASE_BYTES);
const signature = sign(null, base, client.privateKey);
const held = generateKey(openLocalCurves(), request.key as 'ed25519' | 'p256' | 'secp256k1');
if (!isBlindPayload(request.payload)) throw new Error('expected a blind payload');
const payload = toSigningInput(request.payload);
const act = () => {
  if (!verify(null, base, client.publicKey, signature)) throw new Error('it verifies');
  hash('sha256', base, 'base64');
  held.sign({ algorithm: request.algorithm, payload });
};
time(milliseconds / 2, act);
tell({ microseconds: time(milliseconds, act) });
