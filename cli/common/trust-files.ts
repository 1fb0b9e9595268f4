import {
  AWS_NITRO_ROOT_G1,
  decodeCertificateFile,
  MAX_PCR_FILE_BYTES,
  parsePcrFile,
  type PcrFileOptions,
  type PcrValues,
} from '../../attestation/index.ts';
import { type Io, readInput } from './command.ts';
import { inFile } from './in-file.ts';

const MAX_ROOT_FILE_BYTES = 64 * 1024;

/**
 * Reads a pcr.json. @throws UsageError when the file cannot be read; CliError INPUT_TOO_LARGE; AttestationError
 * PCR_FILE_…
 */
export async function readPcrFile(path: string, io: Io, options?: PcrFileOptions): Promise<PcrValues> {
  const file = await readInput(path, io, MAX_PCR_FILE_BYTES);
  return inFile(path, () => parsePcrFile(file, options));
}

/**
 * Reads the trust anchor in DER: AWS's own root, or the certificate in a file of PEM or DER.
 * @throws UsageError when the file cannot be read; CliError INPUT_TOO_LARGE; AttestationError CERTIFICATE_ENCODING
 */
export async function readRootFile(path: string | undefined, io: Io): Promise<Uint8Array> {
  if (path === undefined) return AWS_NITRO_ROOT_G1;
  const file = await readInput(path, io, MAX_ROOT_FILE_BYTES);
  return inFile(path, () => decodeCertificateFile(file));
}
