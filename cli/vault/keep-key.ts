import { generateKeyPairSync } from 'node:crypto';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';

/** Private key of a person, which lies in a file of theirs. */
export interface KeptKey {
  readonly path: string;
  readonly isNew: boolean;
  /** Raw Ed25519 public key, hex. */
  readonly publicKey: string;
}

/**
 * Makes an Ed25519 key in a file of its owner's alone, or reads the one that is there: a key is never replaced.
 * @throws UsageError when nothing can be written there; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED
 */
export async function keepKey(path: string): Promise<KeptKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const isNew = await writeOutput(path, pem, { mode: 0o600, keep: true });
  const { publicKey } = await readSigningKey(path);
  return { path, isNew, publicKey };
}
