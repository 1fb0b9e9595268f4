import { HpkeError, sealTo } from '../../shared/hpke/index.ts';
import {
  type BackupHead,
  type BackupStatement,
  encodeBackupAad,
  encodeBackupInfo,
  encodeStatement,
  joinCiphertext,
  sha384Hex,
} from '../../shared/recovery/index.ts';
import { RecoveryError } from './errors.ts';
import type { BackupContent } from './secrets.ts';

/** A statement, and the ciphertexts that it names. */
export interface SealedBackup {
  readonly statement: Uint8Array;
  /** SHA-384 of the statement in hex. */
  readonly digest: string;
  readonly ciphertexts: readonly Uint8Array[];
}

/**
 * Encrypts secrets to the recovery key, each bound to all that is said of it and of the node.
 *
 * @throws RecoveryError RECOVERY_KEY_INVALID
 */
export function sealBackup(head: BackupHead, { secrets }: Pick<BackupContent, 'secrets'>): SealedBackup {
  const recoveryKey = Buffer.from(head.recoveryKey, 'hex');
  const info = encodeBackupInfo(head);
  const ciphertexts: Uint8Array[] = [];
  const entries = secrets.map(({ entry, withSecret }) => {
    const aad = encodeBackupAad(entry);
    const ciphertext = joinCiphertext(withSecret((secret) => seal(recoveryKey, secret, { info, aad })));
    ciphertexts.push(ciphertext);
    return { ...entry, ciphertext: sha384Hex(ciphertext) };
  });
  const statement = encodeStatement({ ...head, entries });
  return { statement, digest: sha384Hex(statement), ciphertexts };
}

function seal(...[recipient, secret, binding]: Parameters<typeof sealTo>) {
  try {
    return sealTo(recipient, secret, binding);
  } catch (error) {
    if (!(error instanceof HpkeError)) throw error;
    throw new RecoveryError('RECOVERY_KEY_INVALID', 'the manifest names no key to encrypt to', {}, error);
  }
}
