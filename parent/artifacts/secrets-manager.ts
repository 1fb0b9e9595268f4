import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type GetSecretValueCommandOutput,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretSource } from '../control/sources.ts';
import { ArtifactError } from './errors.ts';
import type { ArtifactSource } from './source.ts';

export interface SecretsManagerSecretsOptions {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  /** Prefix of every secret's name, such as `holdfast/production/node-1/`. */
  readonly prefix: string;
}

/**
 * Reads a manifest or configuration from a secret of AWS Secrets Manager, text or binary.
 * @throws ArtifactError ARTIFACT_TOO_LARGE, ARTIFACT_UNAVAILABLE
 */
export function createSecretsManagerArtifact(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  maxBytes: number,
): ArtifactSource {
  return async (signal) => {
    const value = await getSecretValue(client, secretId, signal);
    if (value === null) return null;
    const bytes = value.SecretBinary ?? new TextEncoder().encode(value.SecretString ?? '');
    if (bytes.length > maxBytes) {
      throw new ArtifactError('ARTIFACT_TOO_LARGE', 'a secret is too long', { secretId, maximum: maxBytes });
    }
    return bytes;
  };
}

/**
 * Reads a secret that is text, in its current version.
 * @throws ArtifactError ARTIFACT_TOO_LARGE; ARTIFACT_UNAVAILABLE also where there is none, or it is binary
 */
export async function readSecretText(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const text = (await getSecretValue(client, secretId, signal))?.SecretString;
  if (text === undefined) {
    throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'expected a secret that is text', { secretId });
  }
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ArtifactError('ARTIFACT_TOO_LARGE', 'a secret is too long', { secretId, maximum: maxBytes });
  }
  return text;
}

async function getSecretValue(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  signal: AbortSignal,
): Promise<GetSecretValueCommandOutput | null> {
  try {
    return await client.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal: signal });
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'Secrets Manager cannot be asked', { secretId }, error);
  }
}

/** Secret blobs from AWS Secrets Manager: binary secrets, each the ciphertext that KMS gave, in its current version. */
export function createSecretsManagerSecrets({ client, prefix }: SecretsManagerSecretsOptions): SecretSource {
  return {
    async get(name, signal) {
      const value = await getSecretValue(client, `${prefix}${name}`, signal);
      if (value === null) return null;
      if (value.SecretBinary !== undefined) return value.SecretBinary;
      // A text secret may be a plaintext stored by mistake, which must not even get as far as the enclave.
      throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'expected a binary secret, found a text one', { name });
    },
  };
}
