const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Bytes that are turned into characters at once: each is an argument of one call. */
const CHUNK_BYTES = 8192;

/** What ECMAScript 2026 has, and browsers of 2024 lack. */
interface NativeBase64 {
  toBase64?(): string;
}
interface NativeBase64Constructor {
  fromBase64?(text: string, options: { lastChunkHandling: 'strict' }): Uint8Array<ArrayBuffer>;
}

/** Encodes bytes as base64 with padding (RFC 4648, section 4), in Node and in browsers. */
export function encodeBase64(bytes: Uint8Array): string {
  const native = (bytes as NativeBase64).toBase64?.();
  if (native !== undefined) return native;
  let characters = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
    characters += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK_BYTES));
  }
  return btoa(characters);
}

/**
 * Decodes base64 in its one canonical form: with padding, without white space, the unused bits of the last character
 * zero (RFC 4648, section 3.5).
 *
 * @returns undefined for any other text
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!BASE64.test(text)) return undefined;
  const native = Uint8Array as NativeBase64Constructor;
  if (native.fromBase64 === undefined) return decodeCharacters(text);
  try {
    return native.fromBase64(text, { lastChunkHandling: 'strict' });
  } catch {
    // Of the right alphabet and length, so that bits are left over.
    return undefined;
  }
}

function decodeCharacters(text: string): Uint8Array<ArrayBuffer> | undefined {
  const characters = atob(text);
  // Only the last group can have unused bits.
  if (btoa(characters.slice(-(characters.length % 3 || 3))) !== text.slice(-4)) return undefined;
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = characters.charCodeAt(index);
  return bytes;
}
