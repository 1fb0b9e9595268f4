import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import type { NodeClient } from '../../../client/index.ts';
import { POOL_KEY_TYPES, type PoolKeyType } from '../../../shared/algorithms.ts';

/** A key of a node as its client knows it: what a recovered one is compared with. */
export interface KnownKey {
  readonly id: string;
  readonly type: string;
  /** As the node lists it; null of symmetric keys. */
  readonly publicKey: string | null;
  /** Whether a recovered file holds the key, by something that the node has done with it. */
  readonly isIn: (path: string) => boolean;
}

const MESSAGE = '00'.repeat(32);

/** Has a node make a key of each type in a pool, and do something with each that has no public key. */
export async function makePoolKeys(
  client: NodeClient,
  pool: string,
  types: readonly PoolKeyType[] = POOL_KEY_TYPES,
): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const type of types) {
    const usage = type === 'aes-256' ? 'encrypt' : type.startsWith('hmac-') ? 'mac' : 'sign';
    const { key } = await client.pools.create(pool, { type, usage, description: '', tags: [] });
    const { id, publicKey } = key;
    if (type === 'aes-256') keys.push({ id, type, publicKey, isIn: await encrypt(client, id) });
    else if (type.startsWith('hmac-'))
      keys.push({ id, type, publicKey, isIn: await authenticate(client, id, type) });
    else keys.push({ id, type, publicKey, isIn: (path) => readSpki(path) === publicKey });
  }
  return keys;
}

/** Describes the whole keys of a node's configuration. */
export async function listWholeKeys(client: NodeClient, ids: readonly string[]): Promise<KnownKey[]> {
  return (await client.keys())
    .filter(({ id }) => ids.includes(id))
    .map(({ id, type, publicKey }) => {
      const isIn = (path: string) =>
        type === 'bls12-381' ? readBls(path) === publicKey : readPoint(path) === publicKey;
      return { id, type, publicKey, isIn };
    });
}

/** SubjectPublicKeyInfo in hex of a private key in PEM, as OpenSSL computes it. */
function readSpki(path: string): string {
  return execFileSync('openssl', ['pkey', '-in', path, '-pubout', '-outform', 'DER']).toString('hex');
}

/** Raw Ed25519, or compressed SEC1: the end of what OpenSSL writes. */
function readPoint(path: string): string {
  const compressed = ['-ec_conv_form', 'compressed'];
  const convert = (options: readonly string[]) =>
    execFileSync('openssl', ['pkey', '-in', path, '-pubout', '-outform', 'DER', ...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const text = execFileSync('openssl', ['pkey', '-in', path, '-noout', '-text']).toString();
  const isEdwards = text.startsWith('ED25519');
  const der = convert(isEdwards ? [] : compressed);
  // A BIT STRING of one element is the last member: its length is the byte before the count of unused bits.
  const length = isEdwards ? 32 : text.includes('384 bit') ? 49 : 33;
  return der.subarray(-length).toString('hex');
}

function readBls(path: string): string {
  const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
  return Buffer.from(bls12_381.longSignatures.getPublicKey(secret).toBytes()).toString('hex');
}

async function authenticate(client: NodeClient, id: string, type: string) {
  const hash = type.replace('hmac-', 'sha');
  const { mac } = await client.pools.mac(id, {
    algorithm: `hmac-${hash}` as 'hmac-sha256',
    message: MESSAGE,
  });
  return (path: string) => {
    const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
    return createHmac(hash, secret).update(Buffer.from(MESSAGE, 'hex')).digest('hex') === mac;
  };
}

async function encrypt(client: NodeClient, id: string) {
  const { ciphertext } = await client.pools.encrypt(id, {
    algorithm: 'aes-256-gcm',
    plaintext: MESSAGE,
    context: {},
  });
  return (path: string) => {
    const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
    // 0x01, the key's id, 0x01, and XAES-256-GCM (C2SP): nonce, ciphertext, tag.
    const sealed = Buffer.from(ciphertext, 'hex').subarray(18);
    const nonce = sealed.subarray(0, 24);
    const block = (bytes: Buffer) =>
      createCipheriv('aes-256-ecb', secret, null).setAutoPadding(false).update(bytes);
    const first = block(Buffer.alloc(16));
    const doubled = Buffer.alloc(16);
    for (let place = 0; place < 16; place += 1)
      doubled[place] = (((first[place] ?? 0) << 1) | ((first[place + 1] ?? 0) >> 7)) & 0xff;
    if ((first[0] ?? 0) >= 0x80) doubled[15] = (doubled[15] ?? 0) ^ 0x87;
    const derived = [1, 2].map((counter) => {
      const input = Buffer.concat([Buffer.of(0, counter, 0x58, 0), nonce.subarray(0, 12)]);
      return block(Buffer.from(input.map((byte, place) => byte ^ (doubled[place] ?? 0))));
    });
    const decipher = createDecipheriv('aes-256-gcm', Buffer.concat(derived), nonce.subarray(12));
    return decipher.update(sealed.subarray(24, -16)).toString('hex') === MESSAGE;
  };
}
