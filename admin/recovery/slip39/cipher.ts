import { pbkdf2Sync } from 'node:crypto';

const ROUNDS = 4;
const ITERATIONS = 10_000;

/** What the cipher of a set of shares depends on. There is no passphrase: a custodian who forgets it loses the share. */
export interface CipherParameters {
  readonly identifier: number;
  readonly isExtendable: boolean;
  readonly exponent: number;
}

/** Encrypts a master secret (SLIP-0039, "Encryption of the master secret"): a Feistel network over PBKDF2. */
export function encryptMaster(secret: Uint8Array, parameters: CipherParameters): Uint8Array<ArrayBuffer> {
  return run(secret, parameters, [0, 1, 2, 3]);
}

/** Decrypts a master secret. The caller clears the result. */
export function decryptMaster(encrypted: Uint8Array, parameters: CipherParameters): Uint8Array<ArrayBuffer> {
  return run(encrypted, parameters, [3, 2, 1, 0]);
}

function run(
  input: Uint8Array,
  { identifier, isExtendable, exponent }: CipherParameters,
  rounds: readonly number[],
): Uint8Array<ArrayBuffer> {
  const half = input.length / 2;
  let left = Uint8Array.from(input.subarray(0, half));
  let right = Uint8Array.from(input.subarray(half));
  const prefix = isExtendable
    ? Buffer.alloc(0)
    : Buffer.concat([Buffer.from('shamir'), Uint8Array.of(identifier >> 8, identifier & 255)]);
  const iterations = (ITERATIONS << exponent) / ROUNDS;
  for (const round of rounds) {
    const salt = Buffer.concat([prefix, right]);
    const pad = pbkdf2Sync(Uint8Array.of(round), salt, iterations, half, 'sha256');
    salt.fill(0);
    const next = left.map((byte, index) => byte ^ (pad[index] ?? 0));
    pad.fill(0);
    left.fill(0);
    left = right;
    right = next;
  }
  const output = new Uint8Array(input.length);
  output.set(right);
  output.set(left, half);
  left.fill(0);
  right.fill(0);
  return output;
}
