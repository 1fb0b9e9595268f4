import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findMadeOrSay } from '../../support/find-made.ts';

/**
 * Finds the folder of a client by another of AWS's SDKs; undefined, said loudly, where scripts/kms-client.sh could make
 * none.
 */
export function findClient(language: 'python' | 'go' | 'java'): string | undefined {
  return findMadeOrSay(
    `the KMS stand-in was not shown to AWS's SDK for ${language}`,
    'kms-client.sh',
    language,
  );
}

/** Reads the source of a client. */
export function clientSource(language: string, file: string): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'clients', language, file);
}
