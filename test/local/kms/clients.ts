import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Finds the folder of a client by another of AWS's SDKs; undefined, said loudly, where scripts/kms-client.sh could make
 * none.
 */
export function findClient(language: 'python' | 'go' | 'java'): string | undefined {
  const script = join(ROOT, 'scripts/kms-client.sh');
  const { status, stdout } = spawnSync(script, [language, '--path'], { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  process.stderr.write(
    `\nSKIPPED: the KMS stand-in was not shown to AWS's SDK for ${language}: scripts/kms-client.sh ${language} has made no client\n\n`,
  );
  return undefined;
}

/** Reads the source of a client. */
export function clientSource(language: string, file: string): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'clients', language, file);
}
