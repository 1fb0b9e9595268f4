import { hexToBytes } from '@noble/hashes/utils.js';
import { JsonError, parseJson, type JsonValue } from '../shared/json/index.ts';
import { AttestationError } from './errors.ts';

/** Room for a document in hex with a line break here and there, or in a node's response. */
export const MAX_DOCUMENT_FILE_BYTES = 64 * 1024;
const MAX_DEPTH = 8;

/** Text is ASCII with white space; anything else is the document itself. */
const TEXT = /^[\t\n\r\x20-\x7e]+$/;
const HEX = /^(?:[0-9a-f]{2})+$/i;
const HEX_WITH_PREFIX = /^0x(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BASE64_URL = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * The document in a file: binary as it is; in hex, base64 or base64url with white space anywhere; or the JSON in which a
 * node answers, `{"document": …}`. What begins like a document is binary, and a document is never all ASCII.
 *
 * @throws AttestationError `DOCUMENT_ENCODING` for text of any other kind, which `details.actual` names
 */
export function decodeDocumentFile(file: Uint8Array): Uint8Array {
  const mark = findByteOrderMark(file);
  if (mark !== undefined) throw unreadable(`${mark}: save it without`, mark);
  const text = asText(file);
  if (text === undefined) return file;
  return /^\s*[{["]/.test(text) ? decodeJson(text) : decodeDocumentText(text);
}

function decodeDocumentText(text: string): Uint8Array {
  const compact = text.replaceAll(/\s/g, '');
  if (HEX_WITH_PREFIX.test(compact)) throw unreadable('hex with 0x in front: take that away', '0x');
  const bytes = decodeHexOrBase64(compact);
  if (bytes !== undefined) return bytes;
  if (compact.startsWith('-----BEGIN')) throw unreadable('PEM, as a certificate or a key has it', 'PEM');
  throw unreadable('text that is neither hex nor base64', 'text');
}

/** What a node answers; other JSON is named by what it has in place of a document. */
function decodeJson(text: string): Uint8Array {
  let value: JsonValue;
  try {
    value = parseJson(text, { maxBytes: MAX_DOCUMENT_FILE_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw unreadable('text that is neither hex nor base64, nor JSON', error.code);
  }
  if (Array.isArray(value)) throw unreadable('a JSON array: take the document out of it', 'a JSON array');
  if (typeof value !== 'object' || value === null) throw unreadable('JSON that is no object', 'JSON');
  const { document } = value;
  if (typeof document === 'string') return decodeDocumentText(document);
  const fields = Object.keys(value).slice(0, 8).join(', ').slice(0, 128);
  throw unreadable('JSON without a text "document": take the document out of it', `JSON with ${fields}`);
}

function unreadable(what: string, actual: string): AttestationError {
  return new AttestationError('DOCUMENT_ENCODING', `the file cannot be read as a document: it is ${what}`, {
    field: 'document',
    expected: 'binary, hex, base64, or {"document": base64}',
    actual,
  });
}

const PEM_CERTIFICATE = /^\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

/**
 * The certificate in a file, in DER: one certificate in PEM (RFC 7468), or DER as it is. It is not parsed.
 *
 * @throws AttestationError `CERTIFICATE_ENCODING` for text that is not one certificate
 */
export function decodeCertificateFile(file: Uint8Array): Uint8Array {
  const mark = findByteOrderMark(file);
  const text = mark === undefined ? asText(file) : '';
  if (text === undefined) return file;
  const bytes = decodeBase64((PEM_CERTIFICATE.exec(text)?.[1] ?? '').replaceAll(/\s/g, ''));
  if (bytes !== undefined) return bytes;
  throw new AttestationError(
    'CERTIFICATE_ENCODING',
    mark === undefined ? 'text that is not one certificate in PEM' : `${mark}: save it without`,
    { field: 'root', expected: 'one certificate, PEM or DER' },
  );
}

/**
 * What an editor, or a shell on Windows, has put before the text of a file: in words, or undefined where there is none.
 * No document, certificate or JSON begins so.
 */
export function findByteOrderMark(file: Uint8Array): string | undefined {
  const [first, second, third] = file;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'UTF-8 with a byte order mark';
  const isMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isMark && file.length > 2 && file.length % 2 === 0 ? 'UTF-16 with a byte order mark' : undefined;
}

/** The text of a file that is ASCII and white space throughout; undefined for any other. */
export function asText(file: Uint8Array): string | undefined {
  const text = new TextDecoder('latin1').decode(file);
  return TEXT.test(text) ? text : undefined;
}

/** @param text without white space */
export function decodeHexOrBase64(text: string): Uint8Array | undefined {
  return HEX.test(text) ? hexToBytes(text) : decodeBase64(text);
}

/** Either alphabet, not both at once; padding may be left out, but its bits may not hide anything. */
function decodeBase64(text: string): Uint8Array | undefined {
  if (!BASE64.test(text) && !BASE64_URL.test(text)) return undefined;
  const digits = text.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  if (digits.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(digits), (character) => character.charCodeAt(0));
  const tail = bytes.subarray(bytes.length - (bytes.length % 3));
  const expected = btoa(String.fromCharCode(...tail)).replace(/=+$/, '');
  return digits.endsWith(expected) ? bytes : undefined;
}
