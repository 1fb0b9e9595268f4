import { utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { isTreeSize, parseHash } from './checkpoint-text.ts';
import { type Cosignature, verifyCosignatures } from './cosignature.ts';
import { LogError } from './errors.ts';
import { MAX_PROOF_HASHES, verifyInclusion } from './proofs.ts';
import { decodeNoteText } from './signed-note.ts';
import type { VerifierKey, VerifySignature } from './verifier-key.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

/** Proof that an entry is in a log, as a text of its own. C2SP tlog-proof. Nobody has verified it. */
export interface TlogProof {
  /** Data beside the proof that nobody signs. */
  readonly extra?: Uint8Array;
  readonly index: number;
  /** Hashes from the leaf's sibling up. */
  readonly inclusion: readonly Uint8Array[];
  /** Checkpoint with all its signature lines, byte for byte. */
  readonly checkpoint: string;
}

/** Formats a proof; its file's extension is .tlog-proof. */
export function formatTlogProof({ extra, index, inclusion, checkpoint }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...inclusion.map(encodeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/**
 * Parses a proof.
 *
 * @param bytes at most MAX_NOTE_BYTES
 * @throws LogError TLOG_PROOF_MALFORMED; NOTE_MALFORMED for more than MAX_NOTE_BYTES, or bytes that are no text
 */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  const text = decodeNoteText(bytes);
  const end = text.indexOf('\n\n');
  if (end < 0) throw malformed('expected the proof, an empty line and a checkpoint');
  const [header, ...lines] = text.slice(0, end).split('\n');
  if (header !== HEADER) throw malformed(`expected ${HEADER} in the first line`);
  const extra = lines[0]?.startsWith('extra ') === true ? decodeBase64(lines.shift()?.slice(6) ?? '') : null;
  if (extra === undefined) throw malformed('the extra data are not base64');
  const [, index = ''] = /^index (\d+)$/.exec(lines.shift() ?? '') ?? [];
  if (!isTreeSize(index)) throw malformed('expected the index of the entry, in decimal');
  if (lines.length > MAX_PROOF_HASHES) throw malformed(`more than ${MAX_PROOF_HASHES} hashes`);
  const inclusion = lines.map((line) => {
    const hash = parseHash(line);
    if (hash === undefined) throw malformed('expected a hash of 32 bytes in base64 in each line');
    return hash;
  });
  return {
    ...(extra === null ? {} : { extra }),
    index: Number(index),
    inclusion,
    checkpoint: text.slice(end + 2),
  };
}

/** Log and witnesses that a reader trusts. */
export interface LogPolicy {
  readonly origin: string;
  readonly keys: readonly VerifierKey[];
  /** How many distinct witnesses must have cosigned; 0 of none where a log has no witnesses. */
  readonly witnesses: { readonly keys: readonly VerifierKey[]; readonly threshold: number };
}

/** What a proof has shown. */
export interface VerifiedInclusion {
  readonly index: number;
  readonly checkpoint: SignedCheckpoint;
  readonly cosignatures: readonly Cosignature[];
}

/**
 * Verifies that an entry is in a log, and that enough witnesses have seen the tree. A checkpoint with extension lines is
 * refused: our logs write none, and an ML-DSA-44 cosignature does not cover them.
 *
 * @param leaf hash of the entry, from hashLeaf
 * @throws LogError TLOG_PROOF_MALFORMED, NOTE_MALFORMED, CHECKPOINT_MALFORMED, CHECKPOINT_ORIGIN, CHECKPOINT_UNSIGNED,
 *   NOTE_SIGNATURE_INVALID, CHECKPOINT_UNDER_COSIGNED, INCLUSION_PROOF_INVALID
 */
export function verifyTlogProof(
  proof: TlogProof,
  leaf: Uint8Array,
  policy: LogPolicy,
  verify: VerifySignature,
): VerifiedInclusion {
  const checkpoint = openCheckpoint(utf8ToBytes(proof.checkpoint), policy, verify);
  if (checkpoint.extensions.length > 0)
    throw new LogError('CHECKPOINT_MALFORMED', 'expected no extension lines');
  const cosignatures = verifyCosignatures(checkpoint.text, checkpoint.signatures, policy.witnesses, verify);
  verifyInclusion(leaf, proof.index, checkpoint, proof.inclusion);
  return { index: proof.index, checkpoint, cosignatures };
}

function malformed(message: string): LogError {
  return new LogError('TLOG_PROOF_MALFORMED', message);
}
