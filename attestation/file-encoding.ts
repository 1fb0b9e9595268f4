import { hexToBytes } from '@noble/hashes/utils.js';
import { AttestationError } from './errors.ts';

/** Text is ASCII with white space; anything else is the document itself. */
const TEXT = /^[\t\n\r\x20-\x7e]+$/;
const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BASE64_URL = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * The document in a file: binary as it is, or in hex, base64 or base64url with white space anywhere. What begins like a
 * document is binary, and a document is never all ASCII.
 *
 * @throws AttestationError `DOCUMENT_ENCODING` for text of any other kind
 */
export function decodeDocumentFile(file: Uint8Array): Uint8Array {
  const text = asText(file);
  if (text === undefined) return file;
  const compact = text.replaceAll(/\s/g, '');
  if (HEX.test(compact)) return hexToBytes(compact);
  const bytes = decodeBase64(compact);
  if (bytes !== undefined) return bytes;
  throw new AttestationError('DOCUMENT_ENCODING', 'text that is neither hex nor base64', {
    field: 'document',
  });
}

const PEM_CERTIFICATE = /^\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

/**
 * The certificate in a file, in DER: one certificate in PEM (RFC 7468), or DER as it is. It is not parsed.
 *
 * @throws AttestationError `CERTIFICATE_ENCODING` for text that is not one certificate
 */
export function decodeCertificateFile(file: Uint8Array): Uint8Array {
  const text = asText(file);
  if (text === undefined) return file;
  const bytes = decodeBase64((PEM_CERTIFICATE.exec(text)?.[1] ?? '').replaceAll(/\s/g, ''));
  if (bytes !== undefined) return bytes;
  throw new AttestationError('CERTIFICATE_ENCODING', 'text that is not one certificate in PEM', {
    field: 'root',
  });
}

function asText(file: Uint8Array): string | undefined {
  const text = new TextDecoder('latin1').decode(file);
  return TEXT.test(text) ? text : undefined;
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
