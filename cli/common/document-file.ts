import { decodeDocumentFile } from '../../attestation/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { attestationAnswerSchema } from '../../shared/node/api.ts';
import { type Io, readInput } from '../command.ts';

/** Room for a document in hex with a line break here and there. */
const MAX_DOCUMENT_FILE_BYTES = 64 * 1024;

/**
 * The bytes of an attestation document: from a file that is binary, hex or base64, or the JSON in which a node answers.
 * @throws UsageError when it cannot be read; CliError INPUT_TOO_LARGE; AttestationError for what is no encoding
 */
export async function readDocumentFile(path: string, io: Io): Promise<Uint8Array> {
  const file = await readInput(path, io, MAX_DOCUMENT_FILE_BYTES);
  return decodeDocumentFile(readAnswer(file) ?? file);
}

function readAnswer(file: Uint8Array): Uint8Array | undefined {
  try {
    const answer = attestationAnswerSchema.safeParse(
      parseJson(file, { maxBytes: MAX_DOCUMENT_FILE_BYTES, maxDepth: 2 }),
    );
    return answer.success ? Buffer.from(answer.data.document) : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
