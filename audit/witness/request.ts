import { utf8ToBytes } from '@noble/hashes/utils.js';
import {
  type Checkpoint,
  decodeNoteText,
  formatSignatureLine,
  isTreeSize,
  LogError,
  MAX_NOTE_BYTES,
  MAX_PROOF_HASHES,
  namesKey,
  openCheckpoint,
  parseCheckpointText,
  parseHash,
  parseSignedNote,
  type SignedCheckpoint,
  type VerifierKey,
  type VerifySignature,
} from '../log/index.ts';
import { WitnessError } from './errors.ts';

/** Of a whole request: a note, the proof's lines of 45 bytes and the old size. */
export const MAX_COSIGN_REQUEST_BYTES = MAX_NOTE_BYTES + MAX_PROOF_HASHES * 45 + 64;

/** Request for a cosignature as it was sent. Nobody has verified it. */
export interface CosignRequest {
  /** Size from which the proof leads. */
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: Checkpoint;
  /** Checkpoint with its signature lines. */
  readonly note: string;
}

/**
 * Parses the body of add-checkpoint, C2SP tlog-witness.
 *
 * @throws WitnessError WITNESS_REQUEST_MALFORMED, WITNESS_REQUEST_TOO_LARGE
 */
export function parseCosignRequest(body: Uint8Array): CosignRequest {
  if (body.length > MAX_COSIGN_REQUEST_BYTES)
    throw new WitnessError('WITNESS_REQUEST_TOO_LARGE', `more than ${MAX_COSIGN_REQUEST_BYTES} bytes`);
  const text = asMalformed(() => decodeNoteText(body, MAX_COSIGN_REQUEST_BYTES));
  const end = text.indexOf('\n\n');
  if (end < 0) throw malformed('expected an empty line before the checkpoint');
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  const oldSize = first.startsWith('old ') ? first.slice(4) : '';
  if (!isTreeSize(oldSize)) throw malformed('expected "old" and a size in decimal in the first line');
  if (lines.length > MAX_PROOF_HASHES) throw malformed(`more than ${MAX_PROOF_HASHES} proof lines`);
  const proof = lines.map((line) => {
    const hash = parseHash(line);
    if (hash === undefined) throw malformed('expected a hash of 32 bytes in base64 in each proof line');
    return hash;
  });
  const note = text.slice(end + 2);
  const checkpoint = asMalformed(() => parseCheckpointText(parseSignedNote(utf8ToBytes(note)).text));
  return { oldSize: Number(oldSize), proof, checkpoint, note };
}

/** Keys of each log that a witness follows, by its origin. */
export type FollowedLogs = ReadonlyMap<string, readonly VerifierKey[]>;

/** Checkpoint that a followed log has signed. */
export interface CosignableCheckpoint extends SignedCheckpoint {
  /** Text with the verified signature lines of the log, and no others. */
  readonly logNote: string;
}

/**
 * Verifies that a log which the witness follows has signed the checkpoint.
 *
 * @throws WitnessError WITNESS_LOG_UNKNOWN, WITNESS_LOG_UNSIGNED, WITNESS_REQUEST_MALFORMED
 */
export function verifyCosignRequest(
  { checkpoint, note }: CosignRequest,
  logs: FollowedLogs,
  verify: VerifySignature,
): CosignableCheckpoint {
  const { origin } = checkpoint;
  const keys = logs.get(origin);
  if (keys === undefined)
    throw new WitnessError('WITNESS_LOG_UNKNOWN', 'no log of this origin is followed', { origin });
  try {
    const opened = openCheckpoint(utf8ToBytes(note), { origin, keys }, verify);
    const lines = opened.signatures
      .filter((line) => keys.some((key) => namesKey(line, key)))
      .map((line) => formatSignatureLine(line, line.signature));
    return { ...opened, logNote: `${opened.text}\n${lines.join('')}` };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new WitnessError(
      'WITNESS_LOG_UNSIGNED',
      'expected a valid signature of the log',
      { origin },
      error,
    );
  }
}

function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new WitnessError('WITNESS_REQUEST_MALFORMED', error.message, {}, error);
  }
}

function malformed(message: string): WitnessError {
  return new WitnessError('WITNESS_REQUEST_MALFORMED', message);
}
