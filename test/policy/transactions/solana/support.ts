import { readFileSync } from 'node:fs';
import { decodePayload, TransactionError } from '../../../../policy/transactions/index.ts';

const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as {
  keys: Record<
    'own' | 'other' | 'to' | 'account' | 'mint' | 'vote' | 'nonce' | 'stake' | 'unknown' | 'table',
    string
  >;
  vectors: { name: string; message: string }[];
};
export const { keys: ADDRESSES, vectors: VECTORS } = vectors;

/** Raw public key of the Ed25519 seed of 32 times 0x01, `own` of the vectors. */
export const OWN_KEY = Buffer.from('8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c', 'hex');
export const MAINNET = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp';

export function messageOf(name: string): Buffer {
  const vector = VECTORS.find((candidate) => candidate.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return Buffer.from(vector.message, 'hex');
}

export function decode(
  message: Uint8Array,
  { networks = [MAINNET], publicKey = OWN_KEY }: { networks?: string[]; publicKey?: Uint8Array } = {},
) {
  return decodePayload(
    { kind: 'solana-transaction', message: Buffer.from(message).toString('hex') },
    { algorithm: 'ed25519', publicKey, networks, ownKeys: [] },
  );
}

/** Decodes, and gives the refusal's code where there is one; any other error is none of a decoder. */
export function tryDecode(message: Uint8Array): ReturnType<typeof decode> | string {
  try {
    return decode(message);
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
}

export interface Parts {
  version?: number | 'legacy';
  header?: [number, number, number];
  keys?: Uint8Array[];
  lifetime?: Uint8Array;
  instructions?: { program: number; accounts: number[]; data: number[] }[];
  tables?: { key: Uint8Array; writable: number[]; readonly: number[] }[];
  /** How to write the nth length; the shortest form where it gives none. */
  length?: (value: number, position: number) => number[] | undefined;
}

export const SYSTEM = new Uint8Array(32);
export const RECIPIENT = new Uint8Array(32).fill(7);
/** A transfer of 1,000 lamports. */
export const TRANSFER = { program: 2, accounts: [0, 1], data: [2, 0, 0, 0, 0xe8, 3, 0, 0, 0, 0, 0, 0] };

/** Writes a message, whether or not it makes sense; without parts a transfer of the key. */
export function write(parts: Parts = {}): Buffer {
  const {
    version = 'legacy',
    header = [1, 0, 1],
    keys = [OWN_KEY, RECIPIENT, SYSTEM],
    lifetime = new Uint8Array(32).fill(9),
    instructions = [TRANSFER],
    tables = [],
  } = parts;
  let position = 0;
  const length = (value: number): number[] => {
    const own = parts.length?.(value, position);
    position += 1;
    if (own !== undefined) return own;
    return value < 0x80 ? [value] : [(value % 0x80) + 0x80, Math.floor(value / 0x80)];
  };
  const bytes: number[] = [
    ...(version === 'legacy' ? [] : [0x80 + version]),
    ...header,
    ...length(keys.length),
  ];
  for (const key of keys) bytes.push(...key);
  bytes.push(...lifetime, ...length(instructions.length));
  for (const { program, accounts, data } of instructions) {
    bytes.push(program, ...length(accounts.length), ...accounts, ...length(data.length), ...data);
  }
  if (version !== 'legacy') {
    bytes.push(...length(tables.length));
    for (const { key, writable, readonly } of tables) {
      bytes.push(...key, ...length(writable.length), ...writable, ...length(readonly.length), ...readonly);
    }
  }
  return Buffer.from(bytes);
}
