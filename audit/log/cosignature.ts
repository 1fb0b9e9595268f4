import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Checkpoint, parseCheckpointText } from './checkpoint-text.ts';
import { LogError } from './errors.ts';
import { formatSignatureLine, namesKey, type NoteSignature } from './signed-note.ts';
import { KEY_TYPES, type SigningKey, type VerifierKey, type VerifySignature } from './verifier-key.ts';

const TIME_BYTES = 8;
const SUBTREE_LABEL = utf8ToBytes('subtree/v1\n\0');

/** Statement of a witness, verified: this tree extends all that it signed before for this log. */
export interface Cosignature {
  readonly witness: VerifierKey;
  /** POSIX time at which the witness says that it signed, in seconds; never a reason to believe anything. */
  readonly time: number;
  /** Its line, as it goes into a note. */
  readonly line: string;
}

/** Outcome of looking for cosignatures. */
export interface CollectedCosignatures {
  /** One for each public key, whatever the names and however many the lines. */
  readonly cosignatures: readonly Cosignature[];
  /** Lines that name a witness and do not verify. */
  readonly invalid: readonly NoteSignature[];
}

/**
 * Signs what a cosigner of this type signs, C2SP tlog-cosignature.
 *
 * @param text of the checkpoint
 * @param time POSIX time in seconds, above 0
 * @returns the signature line
 */
export function cosignCheckpoint(signingKey: SigningKey, text: string, time: number): string {
  const { key } = signingKey;
  if (!Number.isSafeInteger(time) || time <= 0) throw new RangeError('a time in seconds above 0');
  const signature = signingKey.sign(encodeCosignedMessage(key, text, parseCheckpointText(text), time));
  return formatSignatureLine(key, concatBytes(encodeU64(time), signature));
}

/**
 * Collects the valid cosignatures of pinned witnesses over the text of a checkpoint. The text is the caller's own: what a
 * witness or a host has sent is never taken for it.
 *
 * @throws LogError CHECKPOINT_MALFORMED for a text that is no checkpoint
 */
export function collectCosignatures(
  text: string,
  signatures: readonly NoteSignature[],
  witnesses: readonly VerifierKey[],
  verify: VerifySignature,
): CollectedCosignatures {
  const checkpoint = parseCheckpointText(text);
  const found = new Map<string, Cosignature>();
  const invalid: NoteSignature[] = [];
  for (const signature of signatures) {
    for (const witness of witnesses.filter((key) => namesKey(signature, key))) {
      const time = verifyCosignature(witness, text, checkpoint, signature.signature, verify);
      if (time === undefined) {
        invalid.push(signature);
        continue;
      }
      const publicKey = bytesToHex(witness.publicKey);
      const line = formatSignatureLine(witness, signature.signature);
      if (!found.has(publicKey)) found.set(publicKey, { witness, time, line });
    }
  }
  return { cosignatures: [...found.values()], invalid };
}

/**
 * Verifies that at least `threshold` distinct witnesses have cosigned a checkpoint; an invalid line of one of them is
 * refused as a note's reader has to (C2SP signed-note).
 *
 * @throws LogError NOTE_SIGNATURE_INVALID, CHECKPOINT_UNDER_COSIGNED, CHECKPOINT_MALFORMED
 */
export function verifyCosignatures(
  text: string,
  signatures: readonly NoteSignature[],
  { keys, threshold }: { readonly keys: readonly VerifierKey[]; readonly threshold: number },
  verify: VerifySignature,
): readonly Cosignature[] {
  if (!Number.isSafeInteger(threshold) || threshold < 0)
    throw new RangeError('a threshold of 0 or more witnesses');
  const { cosignatures, invalid } = collectCosignatures(text, signatures, keys, verify);
  const [wrong] = invalid;
  if (wrong !== undefined) {
    throw new LogError('NOTE_SIGNATURE_INVALID', 'the cosignature of a witness does not verify', {
      witness: wrong.name,
    });
  }
  if (cosignatures.length < threshold) {
    throw new LogError('CHECKPOINT_UNDER_COSIGNED', 'too few of the witnesses have cosigned', {
      expected: threshold,
      actual: cosignatures.length,
    });
  }
  return cosignatures;
}

/** @returns the time; undefined where the signature is not valid, or has no time, which add-checkpoint never gives */
export function verifyCosignature(
  key: VerifierKey,
  text: string,
  checkpoint: Checkpoint,
  timestamped: Uint8Array,
  verify: VerifySignature,
): number | undefined {
  if (timestamped.length !== TIME_BYTES + KEY_TYPES[key.type].signatureBytes) return undefined;
  const time = Number(new DataView(timestamped.buffer, timestamped.byteOffset).getBigUint64(0));
  if (time === 0 || !Number.isSafeInteger(time)) return undefined;
  const message = encodeCosignedMessage(key, text, checkpoint, time);
  return verify(key, message, timestamped.subarray(TIME_BYTES)) ? time : undefined;
}

function encodeCosignedMessage(
  { name, type }: VerifierKey,
  text: string,
  { origin, size, root }: Checkpoint,
  time: number,
): Uint8Array {
  switch (type) {
    case 'cosignature-ed25519':
      return utf8ToBytes(`cosignature/v1\ntime ${time}\n${text}`);
    case 'cosignature-ml-dsa-44':
      return concatBytes(
        SUBTREE_LABEL,
        encodeOpaque(name),
        encodeU64(time),
        encodeOpaque(origin),
        encodeU64(0),
        encodeU64(size),
        root,
      );
    case 'ed25519':
      throw new RangeError('a key that signs notes does not cosign');
    default:
      throw new RangeError('an unknown type of key');
  }
}

/** opaque<1..255> of RFC 8446. */
function encodeOpaque(text: string): Uint8Array {
  const bytes = utf8ToBytes(text);
  if (bytes.length > 255)
    throw new LogError('CHECKPOINT_MALFORMED', 'a name or an origin has at most 255 bytes here');
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

function encodeU64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
