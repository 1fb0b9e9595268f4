import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Key pair of a person or service on this machine. */
export interface Identity {
  readonly privateKey: KeyObject;
  /** Raw public key, 32 bytes in hex. */
  readonly publicKey: string;
  /** Path of the private key, PKCS #8 in PEM. */
  readonly path: string;
}

/** Reads a private key, or makes one the first time. */
export async function loadIdentity(path: string, type: 'ed25519' | 'x25519'): Promise<Identity> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const privateKey = known === undefined ? await createKey(path, type) : createPrivateKey(known);
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, publicKey: Buffer.from(x ?? '', 'base64url').toString('hex'), path };
}

async function createKey(path: string, type: 'ed25519' | 'x25519'): Promise<KeyObject> {
  const { privateKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  return privateKey;
}
