/** Longest secret of a parent, in bytes, as AWS Secrets Manager has it. */
const MAX_BYTES = 64 * 1024;
/** Milliseconds for reading one, repeats included. */
const READ_MS = 10_000;
const ARN = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]{1,32}):/;

/** Reads a secret as it is now. @throws ArtifactError ARTIFACT_UNAVAILABLE, ARTIFACT_TOO_LARGE; what the SDK throws without credentials */
export type OwnSecret = () => Promise<string>;

/**
 * Describes how a parent reads a secret of its own, such as a password, by the credentials of its host. Nothing is kept
 * between two reads: a secret that was rotated is the new one at the next.
 *
 * @param name name or ARN of the secret; the Region of an ARN counts
 * @param region Region of a secret that is given by its name
 */
export function createOwnSecret(name: string, region: string | undefined): OwnSecret {
  return async () => {
    const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const { readSecretText } = await import('./secrets-manager.ts');
    const where = ARN.exec(name)?.[1] ?? region;
    const client = new SecretsManagerClient(where === undefined ? {} : { region: where });
    try {
      return await readSecretText(client, name, MAX_BYTES, AbortSignal.timeout(READ_MS));
    } finally {
      client.destroy();
    }
  };
}
