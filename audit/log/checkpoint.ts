import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Checkpoint, formatCheckpointText, parseCheckpointText } from './checkpoint-text.ts';
import { verifyCosignature } from './cosignature.ts';
import { LogError } from './errors.ts';
import { formatSignatureLine, namesKey, type NoteSignature, parseSignedNote } from './signed-note.ts';
import type { SigningKey, VerifierKey, VerifySignature } from './verifier-key.ts';

/** Checkpoint that its log has signed. */
export interface SignedCheckpoint extends Checkpoint {
  /** What log and witnesses sign. */
  readonly text: string;
  /** All signature lines: only the log's has been verified. */
  readonly signatures: readonly NoteSignature[];
}

/**
 * Signs a tree as its log.
 *
 * @param signingKey of type ed25519
 * @returns text and note; the note has the log's signature line alone
 */
export function signCheckpoint(
  tree: Omit<Checkpoint, 'extensions'>,
  signingKey: SigningKey,
): { text: string; note: string } {
  const { key } = signingKey;
  if (key.type !== 'ed25519') throw new RangeError('a log signs by a key of type ed25519');
  const text = formatCheckpointText(tree);
  return { text, note: `${text}\n${formatSignatureLine(key, signingKey.sign(utf8ToBytes(text)))}` };
}

/**
 * Opens a checkpoint: parses it, and verifies that its log signed it. Cosignatures are verifyCosignatures' part.
 *
 * @param log its origin and the keys that it signs with, one of which must have signed
 * @throws LogError NOTE_MALFORMED, CHECKPOINT_MALFORMED, CHECKPOINT_ORIGIN, CHECKPOINT_UNSIGNED, NOTE_SIGNATURE_INVALID
 */
export function openCheckpoint(
  note: Uint8Array,
  log: { readonly origin: string; readonly keys: readonly VerifierKey[] },
  verify: VerifySignature,
): SignedCheckpoint {
  const { text, signatures } = parseSignedNote(note);
  const checkpoint = parseCheckpointText(text);
  if (checkpoint.origin !== log.origin) {
    throw new LogError('CHECKPOINT_ORIGIN', 'the checkpoint is another log’s', {
      expected: log.origin,
      actual: checkpoint.origin,
    });
  }
  verifyLogSignature(text, checkpoint, signatures, log.keys, verify);
  return { ...checkpoint, text, signatures };
}

function verifyLogSignature(
  text: string,
  checkpoint: Checkpoint,
  signatures: readonly NoteSignature[],
  keys: readonly VerifierKey[],
  verify: VerifySignature,
): void {
  let signed = false;
  for (const line of signatures) {
    for (const key of keys.filter((one) => namesKey(line, one))) {
      const isValid =
        key.type === 'ed25519'
          ? line.signature.length === 64 && verify(key, utf8ToBytes(text), line.signature)
          : verifyCosignature(key, text, checkpoint, line.signature, verify) !== undefined;
      if (!isValid)
        throw new LogError('NOTE_SIGNATURE_INVALID', 'the signature of the log does not verify', {
          key: key.name,
        });
      signed = true;
    }
  }
  if (!signed) throw new LogError('CHECKPOINT_UNSIGNED', 'expected a signature of the log, found none');
}
