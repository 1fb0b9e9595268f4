import { JsonError, parseJson } from '../shared/json/index.ts';
import { decodeDocumentFile as decodeText } from './file-encoding.ts';

/** Room for a document in hex with a line break here and there. */
const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * The document in a file, however it was saved: binary, hex or base64, or the JSON in which a node responds,
 * `{"document": "base64"}`. The one decoder of commands, page and library.
 *
 * @throws AttestationError `DOCUMENT_ENCODING` for text of any other kind
 */
export function decodeDocumentFile(file: Uint8Array): Uint8Array {
  return decodeText(readNodeResponse(file) ?? file);
}

/** The member `document`, where that is all there is. */
function readNodeResponse(file: Uint8Array): Uint8Array | undefined {
  let value;
  try {
    value = parseJson(file, { maxBytes: MAX_RESPONSE_BYTES, maxDepth: 2 });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { document, ...others } = value;
  if (typeof document !== 'string' || Object.keys(others).length > 0) return undefined;
  return new TextEncoder().encode(document);
}
