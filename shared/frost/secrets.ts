/**
 * Runs a computation whose intermediate secrets are cleared when it ends, whichever way it ends. `keep` registers one
 * and returns it; what the computation returns must not be registered.
 */
export function withSecrets<T>(compute: (keep: <S extends Uint8Array>(secret: S) => S) => T): T {
  const secrets: Uint8Array[] = [];
  try {
    return compute((secret) => {
      secrets.push(secret);
      return secret;
    });
  } finally {
    for (const secret of secrets) secret.fill(0);
  }
}

/** A source of random bytes, `length` of them: the enclave's is seeded by the NSM. */
export type RandomSource = (length: number) => Uint8Array;
