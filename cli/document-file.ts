import { decodeDocumentFile } from '../attestation/index.ts';
import { type Io, readInput } from './command.ts';
import { inFile } from './in-file.ts';

/** Room for a document in hex with a line break here and there. */
const MAX_DOCUMENT_FILE_BYTES = 64 * 1024;

/**
 * The bytes of an attestation document: from a file that is binary, hex or base64, or the JSON in which a node answers.
 * @throws UsageError when it cannot be read; CliError INPUT_TOO_LARGE; AttestationError for what is no encoding
 */
export async function readDocumentFile(path: string, io: Io): Promise<Uint8Array> {
  const file = await readInput(path, io, MAX_DOCUMENT_FILE_BYTES);
  return inFile(path, () => decodeDocumentFile(file));
}
