import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Real documents, signed by AWS, which lie beside the project where somebody put them. */
const FOLDER = fileURLToPath(new URL('../../../shared/attestation-documents/', import.meta.url));

export const hasGenuineDocuments = existsSync(FOLDER);

export const GENUINE = [
  { name: 'anjuna-2021.cbor', debug: false },
  { name: 'cape-key.cbor', debug: false },
  { name: 'evervault-beta.cbor', debug: false },
  { name: 'fastcrypto-pcr16.cbor', debug: false },
  { name: 'tkhq-tvc-32pcr.cbor', debug: false },
  { name: 'evervault-beta-debug.cbor', debug: true },
  { name: 'evervault-ga.b64', debug: true },
  { name: 'sparsity-1.report', debug: true },
] as const;

export function readGenuine(name: string): Uint8Array {
  const file = readFileSync(`${FOLDER}${name}`);
  return name.endsWith('.b64') ? Buffer.from(file.toString('latin1'), 'base64') : file;
}
