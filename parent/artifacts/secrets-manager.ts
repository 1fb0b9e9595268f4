import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretSource } from '../control/sources.ts';
import { ArtifactError } from './errors.ts';

export interface SecretsManagerSecretsOptions {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  /** Put before a secret's name, such as `holdfast/production/node-1/`. */
  readonly prefix: string;
}

/** Secret blobs from AWS Secrets Manager: binary secrets, each the ciphertext that KMS gave, in its current version. */
export function createSecretsManagerSecrets({ client, prefix }: SecretsManagerSecretsOptions): SecretSource {
  return {
    async get(name, signal) {
      try {
        const { SecretBinary } = await client.send(
          new GetSecretValueCommand({ SecretId: `${prefix}${name}` }),
          {
            abortSignal: signal,
          },
        );
        if (SecretBinary !== undefined) return SecretBinary;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return null;
        throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'Secrets Manager cannot be asked', { name }, error);
      }
      // Text there is somebody's plaintext, which must not even get as far as the enclave.
      throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'the secret is not binary', { name });
    },
  };
}
