import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_ADMISSION_NONCE_BYTES } from '../../shared/protocol/control.ts';
import type { AdmissionDesk } from '../control/sources.ts';
import { ArtifactError } from './errors.ts';
import { readArtifactFile } from './files.ts';

const MIN_NONCE_BYTES = 16;

/**
 * Opens a folder in which an admin puts a `nonce`, in hex, for an image that KMS does not admit yet. At its next start
 * the image publishes `attestation.cbor` there, in place of any earlier one: the input of `holdfast key-policy gate`.
 * @param nonceFile file of the nonce; `nonce` in the folder when left out
 */
export function createFileAdmission(
  directory: string,
  nonceFile: string = join(directory, 'nonce'),
): AdmissionDesk {
  return {
    async nonce() {
      const text = await readArtifactFile(nonceFile, 2 * MAX_ADMISSION_NONCE_BYTES + 2);
      return text === null ? null : parseNonce(Buffer.from(text).toString('latin1').trim());
    },
    async publish(document) {
      const path = join(directory, 'attestation.cbor');
      await mkdir(directory, { recursive: true, mode: 0o755 });
      {
        await using file = await open(`${path}.new`, 'w', 0o644);
        await file.writeFile(document);
        await file.sync();
      }
      await rename(`${path}.new`, path);
    },
  };
}

function parseNonce(hex: string): Uint8Array {
  const nonce = Buffer.from(hex, 'hex');
  if (nonce.toString('hex') !== hex.toLowerCase() || nonce.length < MIN_NONCE_BYTES) {
    throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'expected a nonce of at least 16 bytes in hex');
  }
  return nonce;
}
