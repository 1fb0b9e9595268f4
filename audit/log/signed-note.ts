import { concatBytes } from '@noble/hashes/utils.js';
import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';
import { LogError } from './errors.ts';
import { isKeyName, type VerifierKey } from './verifier-key.ts';

/** Of a note with its signatures: 16 ML-DSA-44 cosignatures have 52 KiB. */
export const MAX_NOTE_BYTES = 128 * 1024;
/** Signature lines of a note; C2SP asks for 16 at least. */
export const MAX_NOTE_SIGNATURES = 64;
const LINE_FEED = 0x0a;

/** Signature line. Nobody has verified it. */
export interface NoteSignature {
  readonly name: string;
  /** Key id. */
  readonly id: number;
  /** Bytes after the key id. */
  readonly signature: Uint8Array;
}

/** Note as it is written, C2SP signed-note. Nobody has verified it. */
export interface SignedNote {
  /** Text with its final line feed: what is signed, in UTF-8. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/**
 * Parses a signed note.
 *
 * @throws LogError NOTE_MALFORMED
 */
export function parseSignedNote(bytes: Uint8Array): SignedNote {
  const note = decodeNoteText(bytes);
  const end = note.lastIndexOf('\n\n');
  if (end < 0) throw malformed('expected a text, an empty line and signature lines');
  return { text: note.slice(0, end + 1), signatures: parseSignatureLines(note.slice(end + 2)) };
}

/**
 * Parses signature lines, one or more, as a witness gives them.
 *
 * @throws LogError NOTE_MALFORMED
 */
export function parseSignatureLines(text: string): NoteSignature[] {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length === 0)
    throw malformed('expected signature lines, each with a line feed at its end');
  if (lines.length > MAX_NOTE_SIGNATURES) throw malformed(`more than ${MAX_NOTE_SIGNATURES} signature lines`);
  return lines.map((line) => {
    const [dash, name = '', encoded = '', ...others] = line.split(' ');
    const bytes = decodeBase64(encoded);
    if (dash !== '—' || !isKeyName(name) || others.length > 0 || bytes === undefined || bytes.length < 5)
      throw malformed('expected a signature line: dash, key name, key id and signature in base64');
    return { name, id: new DataView(bytes.buffer).getUint32(0), signature: bytes.subarray(4) };
  });
}

/**
 * Decodes bytes that come from outside and are to be a note, or lines of one: UTF-8 without control characters but line
 * feeds.
 *
 * @throws LogError NOTE_MALFORMED
 */
export function decodeNoteText(bytes: Uint8Array, maxBytes = MAX_NOTE_BYTES): string {
  if (bytes.length > maxBytes) throw malformed(`more than ${maxBytes} bytes`);
  if (bytes.some((byte) => byte < 0x20 && byte !== LINE_FEED)) throw malformed('a control character');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new LogError('NOTE_MALFORMED', 'not UTF-8', {}, error);
  }
}

/** Formats a signature line, with its line feed. */
export function formatSignatureLine(
  { name, id }: Pick<VerifierKey, 'name' | 'id'>,
  signature: Uint8Array,
): string {
  const encodedId = new Uint8Array(4);
  new DataView(encodedId.buffer).setUint32(0, id);
  return `— ${name} ${encodeBase64(concatBytes(encodedId, signature))}\n`;
}

/** Tells whether a line names this key: by name and id. */
export function namesKey(line: NoteSignature, key: VerifierKey): boolean {
  return line.name === key.name && line.id === key.id;
}

function malformed(message: string): LogError {
  return new LogError('NOTE_MALFORMED', message);
}
