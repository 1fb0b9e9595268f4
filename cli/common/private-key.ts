import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ed25519PublicKeyHex } from '../../shared/dsse/index.ts';
import { UsageError } from './command.ts';
import { CliError } from './errors.ts';
import { describeSystemError } from './system-error.ts';

const MAX_KEY_BYTES = 4096;
/** Mode bits that let group or others read or write. */
const EXPOSED = 0o066;

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** Raw public key in hex, as manifests and configurations name it. */
  readonly publicKey: string;
}

/**
 * Reads a private key of any type, in PEM without a password. A plain file must be its owner's alone, as ssh has it; a
 * pipe (`<(pass show authority)`) has no such rights to look at.
 *
 * @throws UsageError when the file cannot be read; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED
 */
export async function readPrivateKey(path: string): Promise<KeyObject> {
  const pem = await readKeyFile(path);
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    // The cause is left out: OpenSSL may quote what it could not read.
    throw new CliError('KEY_FILE_MALFORMED', 'expected a private key in PEM without a password', { path });
  } finally {
    pem.fill(0);
  }
}

/**
 * Reads an Ed25519 private key as {@link readPrivateKey} does.
 *
 * @throws UsageError when the file cannot be read; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED
 */
export async function readSigningKey(path: string): Promise<SigningKey> {
  const privateKey = await readPrivateKey(path);
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new CliError('KEY_FILE_MALFORMED', 'expected an Ed25519 key', { path });
  }
  return { privateKey, publicKey: ed25519PublicKeyHex(createPublicKey(privateKey)) };
}

/**
 * Reads a file that holds a secret, with the rights that {@link readPrivateKey} asks for. The caller clears the bytes.
 *
 * @throws UsageError when the file cannot be read; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED
 */
export async function readKeyFile(path: string): Promise<Buffer> {
  const buffer = Buffer.alloc(MAX_KEY_BYTES);
  try {
    await using file = await open(path, 'r');
    const { mode, isFile } = await describeFile(file);
    if (isFile && (mode & EXPOSED) !== 0) {
      throw new CliError('KEY_FILE_EXPOSED', `others may read or write the key; "chmod 600" mends that`, {
        path,
        mode: (mode & 0o777).toString(8).padStart(4, '0'),
      });
    }
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0) return buffer.subarray(0, length);
      if (length === buffer.length) throw new CliError('KEY_FILE_MALFORMED', 'too long for a key', { path });
    }
  } catch (error) {
    buffer.fill(0);
    if (error instanceof CliError) throw error;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}

async function describeFile(file: { stat(): Promise<{ mode: number; isFile(): boolean }> }) {
  const stat = await file.stat();
  return { mode: stat.mode, isFile: stat.isFile() };
}
