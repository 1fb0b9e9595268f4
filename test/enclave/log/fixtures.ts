import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { TransparencyLog, type TransparencyLogOptions } from '../../../enclave/log/index.ts';
import type { NodeKey } from '../../../enclave/node/node-keys.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import type { WitnessRefusal } from '../../../shared/protocol/log.ts';
import type { PublishedCheckpoint, WitnessResponses } from '../../../shared/protocol/log-client.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

export const ORIGIN = 'node-1.test.demo.holdfast.internal/log';
const STATE = { order: 'first', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
const storeKey = deriveStoreKey(new Uint8Array(32).fill(7), {
  namespace: 'demo',
  environment: 'test',
  node: 1,
});

export const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
export const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** The root of a tree by the definition of RFC 6962, 2.1. */
export function rootOf(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 0) return sha256();
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return sha256(Uint8Array.of(0), only);
  let split = 1;
  while (2 * split < entries.length) split *= 2;
  return sha256(Uint8Array.of(1), rootOf(entries.slice(0, split)), rootOf(entries.slice(split)));
}

/** The root that an inclusion proof leads to, by the definition of RFC 6962, 2.1.1. */
export function rootByProof(
  entry: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Buffer {
  if (size === 1) return sha256(Uint8Array.of(0), entry);
  let split = 1;
  while (2 * split < size) split *= 2;
  const sibling = proof.at(-1) ?? new Uint8Array();
  const rest = proof.slice(0, -1);
  return index < split
    ? sha256(Uint8Array.of(1), rootByProof(entry, index, split, rest), sibling)
    : sha256(Uint8Array.of(1), sibling, rootByProof(entry, index - split, size - split, rest));
}

const keyId = (name: string, type: number, publicKey: Uint8Array) =>
  sha256(Buffer.from(`${name}\n`), Uint8Array.of(type), publicKey).subarray(0, 4);

export function makeKey(): NodeKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: new Uint8Array(publicKey.export({ format: 'raw-public' })) };
}

/** A witness that signs whatever it is shown; what a real one refuses is the tests' to say. */
export interface FakeWitness {
  readonly vkey: string;
  cosign(text: string, change?: { name?: string; type?: number; time?: number }): string;
}

export function makeWitness(name: string, { privateKey, publicKey }: NodeKey = makeKey()): FakeWitness {
  const makeVkey = (type: number) =>
    `${name}+${keyId(name, type, publicKey).toString('hex')}+${base64(Buffer.concat([Uint8Array.of(type), publicKey]))}`;
  return {
    vkey: makeVkey(4),
    cosign(text, { name: as = name, type = 4, time = 1_700_000_000 } = {}) {
      const stamp = Buffer.alloc(8);
      stamp.writeBigUInt64BE(BigInt(time));
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey);
      return `— ${as} ${base64(Buffer.concat([keyId(as, type, publicKey), stamp, signature]))}\n`;
    },
  };
}

export const vkeyOfType = (name: string, type: number, { publicKey }: Pick<NodeKey, 'publicKey'>) =>
  `${name}+${keyId(name, type, publicKey).toString('hex')}+${base64(Buffer.concat([Uint8Array.of(type), publicKey]))}`;

export const textOf = (note: Uint8Array | string) => {
  const text = Buffer.from(note).toString();
  return text.slice(0, text.indexOf('\n\n') + 1);
};
export const sizeOf = (note: Uint8Array | string) => Number(textOf(note).split('\n')[1]);

type Respond = (
  checkpoint: PublishedCheckpoint,
  number: number,
) => Promise<Partial<WitnessResponses>> | Partial<WitnessResponses>;

/** A parent's log service in memory. */
export class FakeService {
  readonly published: PublishedCheckpoint[] = [];
  respond: Respond;

  constructor(respond: Respond = () => ({})) {
    this.respond = respond;
  }

  async publish(checkpoint: PublishedCheckpoint): Promise<WitnessResponses> {
    this.published.push(checkpoint);
    const { lines = [], refusals = [] } = await this.respond(checkpoint, this.published.length);
    return { lines, refusals };
  }
}

export const refusing = (code: WitnessRefusal['code'], ...names: string[]): WitnessRefusal[] =>
  names.map((witness) => ({ witness, code }));

/** A store after its first commit. */
export async function makeStore(storage = new MemoryRecordStorage()) {
  const store = SealedStore.create(storage, storeKey, STATE, undefined);
  await store.commit([]);
  return { store, storage };
}
export const reopen = (storage: MemoryRecordStorage) => SealedStore.open(storage, storeKey);

export async function makeLog(
  options: Partial<TransparencyLogOptions> & { storage?: MemoryRecordStorage } = {},
) {
  const { store, storage } = await makeStore(options.storage);
  const service = new FakeService();
  const key = makeKey();
  const log = new TransparencyLog({
    store,
    origin: ORIGIN,
    key,
    client: service,
    witnesses: null,
    ...options,
  });
  return { log, store, storage, service, key };
}

/** The public key and text of a note's log signature verify. */
export function isSignedBy({ publicKey }: Pick<NodeKey, 'publicKey'>, note: string): boolean {
  const line = note.slice(note.indexOf('\n\n') + 2).split('\n')[0] ?? '';
  const signature = Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(4);
  return verifyRaw(publicKey, Buffer.from(textOf(note)), signature);
}

function verifyRaw(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: publicKey, format: 'raw-public', asymmetricKeyType: 'ed25519' });
  return verify(null, message, key, signature);
}
