/** Encodes bytes as standard base64 with padding. RFC 4648, 4. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Decodes standard base64 in its one canonical form: padded, unused bits zero; undefined for any other text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return encodeBase64(bytes.subarray(bytes.length - (bytes.length % 3))) ===
    text.slice(text.length - tailOf(bytes))
    ? bytes
    : undefined;
}

/** Length of the encoded tail: of the one or two bytes after the last three. */
function tailOf({ length }: Uint8Array): number {
  return length % 3 === 0 ? 0 : 4;
}
