import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AttestationError, unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { MAX_ATTESTATION_BYTES } from '../../shared/protocol/limits.ts';
import { readForeignFile } from '../common/whole-file.ts';

const DOCUMENT = 'attestation.cbor';

/** Takes away a document that an image has published before. */
export async function removeDocument(folder: string): Promise<void> {
  await rm(join(folder, DOCUMENT), { force: true });
}

/** Reads the document that an image published for a nonce; null where there is none. Nobody has verified it. */
export async function unsafeReadDocument(folder: string, nonce: string | null): Promise<Uint8Array | null> {
  if (nonce === null) return null;
  const bytes = await readForeignFile(join(folder, DOCUMENT), MAX_ATTESTATION_BYTES);
  if (bytes === undefined) return null;
  try {
    const { payload } = unsafeParseAttestationDocument(bytes);
    return Buffer.from(payload.nonce ?? []).toString('hex') === nonce ? bytes : null;
  } catch (error) {
    if (error instanceof AttestationError) return null;
    throw error;
  }
}
