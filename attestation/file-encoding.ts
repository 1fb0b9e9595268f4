import { hexToBytes } from '@noble/hashes/utils.js';
import { JsonError, parseJson, type JsonValue } from '../shared/json/index.ts';
import { AttestationError } from './errors.ts';

/** Maximum length in bytes of a file that holds a document: room for hex with line breaks, or for a node's response. */
export const MAX_DOCUMENT_FILE_BYTES = 64 * 1024;
const MAX_DEPTH = 8;

/** ASCII with white space: a file of any other bytes is a binary document. */
const TEXT = /^[\t\n\r\x20-\x7e]+$/;
const HEX = /^(?:[0-9a-f]{2})+$/i;
const HEX_WITH_PREFIX = /^0x(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BASE64_URL = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * Decodes a file that holds an attestation document. The file is binary; or hex, base64 (RFC 4648 section 4) or base64url
 * (section 5) with white space anywhere; or the JSON of a node's response, `{"document": base64}`. A file with any byte
 * outside of ASCII is binary, since no document is all ASCII. The document is not parsed.
 *
 * @param file at most {@link MAX_DOCUMENT_FILE_BYTES}, where it is JSON
 * @returns the binary document, to be given to `verifyAttestationDocument`
 * @throws AttestationError `DOCUMENT_ENCODING` for text of any other kind, which `details.actual` names
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { decodeDocumentFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const fromHex = decodeDocumentFile(await readFile('document.hex'));
 * const fromNode = decodeDocumentFile(await readFile('response.json'));
 * console.log(Buffer.compare(fromHex, fromNode)); // 0
 * ```
 */
export function decodeDocumentFile(file: Uint8Array): Uint8Array {
  const mark = findByteOrderMark(file);
  if (mark !== undefined) throw unreadable(`${mark}: save it without the mark`, mark);
  const text = asText(file);
  if (text === undefined) return file;
  return /^\s*[{["]/.test(text) ? decodeJson(text) : decodeDocumentText(text);
}

function decodeDocumentText(text: string): Uint8Array {
  const compact = text.replaceAll(/\s/g, '');
  if (HEX_WITH_PREFIX.test(compact)) throw unreadable('hex after 0x: remove the 0x', '0x');
  const bytes = decodeHexOrBase64(compact);
  if (bytes !== undefined) return bytes;
  if (compact.startsWith('-----BEGIN')) throw unreadable('PEM, as a certificate or a key has it', 'PEM');
  throw unreadable('text that is neither hex nor base64', 'text');
}

/** Decodes the JSON of a node's response; the refusal of any other JSON names its fields. */
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
 * Decodes a file that holds one certificate: PEM (RFC 7468 section 5), or DER, which is returned as it is. The
 * certificate is not parsed.
 *
 * @returns the certificate in DER, to be given as `root` to `verifyAttestationDocument`
 * @throws AttestationError `CERTIFICATE_ENCODING` for text that is not one certificate
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { decodeCertificateFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const root = decodeCertificateFile(await readFile('root.pem'));
 * console.log(root[0]); // 48
 * ```
 */
export function decodeCertificateFile(file: Uint8Array): Uint8Array {
  const mark = findByteOrderMark(file);
  const text = mark === undefined ? asText(file) : '';
  if (text === undefined) return file;
  const bytes = decodeBase64((PEM_CERTIFICATE.exec(text)?.[1] ?? '').replaceAll(/\s/g, ''));
  if (bytes !== undefined) return bytes;
  throw new AttestationError(
    'CERTIFICATE_ENCODING',
    mark === undefined
      ? 'the file is text other than one certificate in PEM'
      : `the file is ${mark}: save it without the mark`,
    { field: 'root', expected: 'one certificate, PEM or DER' },
  );
}

/**
 * Finds the byte order mark that an editor, or a shell on Windows, has put before the text of a file; returns its name in
 * words, or undefined. No document, certificate or JSON begins with such a mark.
 */
export function findByteOrderMark(file: Uint8Array): string | undefined {
  const [first, second, third] = file;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'UTF-8 with a byte order mark';
  const isMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isMark && file.length > 2 && file.length % 2 === 0 ? 'UTF-16 with a byte order mark' : undefined;
}

/** Returns the text of a file that is printable ASCII and white space throughout, or undefined. */
export function asText(file: Uint8Array): string | undefined {
  const text = new TextDecoder('latin1').decode(file);
  return TEXT.test(text) ? text : undefined;
}

/**
 * Decodes hex, or else base64 or base64url; returns undefined for any other text.
 *
 * @param text without white space
 */
export function decodeHexOrBase64(text: string): Uint8Array | undefined {
  return HEX.test(text) ? hexToBytes(text) : decodeBase64(text);
}

/** Decodes one alphabet of base64, not both mixed; padding may be absent, and the unused bits of the last digit are 0. */
function decodeBase64(text: string): Uint8Array | undefined {
  if (!BASE64.test(text) && !BASE64_URL.test(text)) return undefined;
  const digits = text.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  if (digits.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(digits), (character) => character.charCodeAt(0));
  const tail = bytes.subarray(bytes.length - (bytes.length % 3));
  const expected = btoa(String.fromCharCode(...tail)).replace(/=+$/, '');
  return digits.endsWith(expected) ? bytes : undefined;
}
