import { hash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ColdError } from './errors.ts';

/** Bytes of a part: its code is read from a screen by any camera. */
const PART_BYTES = 480;
/** The most parts: nobody holds a camera to more. */
const MAX_PARTS = 99;
/** Longest text of scanned parts, in bytes. */
const MAX_PARTS_TEXT_BYTES = 256 * 1024;
const PART = /^HFC1\/([0-9A-F]{16})\/([1-9][0-9]?)\/([1-9][0-9]?)\/((?:[0-9A-F]{2}){1,480})$/;
const PREFIX = 'HFC1/';

/**
 * Splits a message into lines that fit a QR code each, in its alphanumeric mode (SPEC.md):
 * `HFC1/<first 8 bytes of SHA-256>/<number>/<of>/<bytes>`, in upper-case hex; the bytes are deflated (RFC 1951).
 *
 * @throws ColdError COLD_PARTS_TOO_MANY
 */
export function splitIntoParts(message: Uint8Array): string[] {
  const deflated = deflateRawSync(message, { level: 9 });
  const count = Math.max(1, Math.ceil(deflated.length / PART_BYTES));
  if (count > MAX_PARTS) {
    throw new ColdError('COLD_PARTS_TOO_MANY', 'the message is too long for codes; carry it as a file', {
      parts: count,
      maximum: MAX_PARTS,
    });
  }
  const name = nameMessage(message);
  return Array.from({ length: count }, (_, index) => {
    const part = deflated.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
    return `${PREFIX}${name}/${index + 1}/${count}/${part.toString('hex').toUpperCase()}`;
  });
}

/** Tells whether bytes are lines of scanned parts rather than the message itself. */
export function looksLikeParts(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, PREFIX.length)).toString('latin1') === PREFIX;
}

/**
 * Joins scanned parts, a line each, in any order; a part may come several times.
 *
 * @param maxBytes longest message
 * @throws ColdError COLD_PARTS_MALFORMED, COLD_PARTS_INCOMPLETE
 */
export function joinParts(text: string, maxBytes: number): Uint8Array<ArrayBuffer> {
  if (text.length > MAX_PARTS_TEXT_BYTES) throw malformed('longer than scanned parts can be');
  const parts = new Map<number, string>();
  let message: { readonly name: string; readonly count: number } | undefined;
  for (const line of text.split(/\r?\n/).filter((one) => one !== '')) {
    const [, name = '', number = '', of = '', bytes = ''] = PART.exec(line) ?? [];
    if (name === '' || Number(number) > Number(of)) throw malformed('a line that is no part');
    message ??= { name, count: Number(of) };
    if (message.name !== name || message.count !== Number(of)) throw malformed('parts of several messages');
    const known = parts.get(Number(number));
    if (known !== undefined && known !== bytes) throw malformed('two parts of one number');
    parts.set(Number(number), bytes);
  }
  if (message === undefined) throw malformed('no part');
  const numbers = Array.from({ length: message.count }, (_, index) => index + 1);
  const missing = numbers.filter((number) => !parts.has(number));
  if (missing.length > 0) throw new ColdError('COLD_PARTS_INCOMPLETE', 'parts were not scanned', { missing });
  const deflated = Buffer.from(numbers.map((number) => parts.get(number)).join(''), 'hex');
  let whole: Buffer;
  try {
    whole = inflateRawSync(deflated, { maxOutputLength: maxBytes });
  } catch (error) {
    throw malformed('not a deflated message of its length', error);
  }
  if (nameMessage(whole) !== message.name) throw malformed('the parts are not those of the message');
  return new Uint8Array(whole);
}

function nameMessage(message: Uint8Array): string {
  return hash('sha256', message, 'hex').slice(0, 16).toUpperCase();
}

function malformed(problem: string, cause?: unknown): ColdError {
  return new ColdError(
    'COLD_PARTS_MALFORMED',
    `expected scanned parts of one message: ${problem}`,
    {},
    cause,
  );
}
