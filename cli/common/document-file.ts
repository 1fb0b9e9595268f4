import { decodeDocumentFile } from '../../attestation/index.ts';
import { MAX_DOCUMENT_FILE_BYTES } from '../../attestation/file-encoding.ts';
import { type Io, readInput } from './command.ts';
import { inFile } from './in-file.ts';

/**
 * Reads the bytes of an attestation document from a file: binary, hex, base64, or the JSON of a node's response.
 * @throws UsageError when the file cannot be read; CliError INPUT_TOO_LARGE; AttestationError for what is no encoding
 */
export async function readDocumentFile(path: string, io: Io): Promise<Uint8Array> {
  const file = await readInput(path, io, MAX_DOCUMENT_FILE_BYTES);
  return inFile(path, () => decodeDocumentFile(file));
}
