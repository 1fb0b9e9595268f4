import type { GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { askAws } from '../aws/index.ts';

/** What is used of a client for Secrets Manager. */
export type SecretsClient = Pick<SecretsManagerClient, 'send'>;

/** The staging labels of the version in force and of the one before. */
export const CURRENT = 'AWSCURRENT';
export const PREVIOUS = 'AWSPREVIOUS';

/** A secret's metadata, the labels of its versions among them; `undefined` where there is no such secret. */
export async function describeSecret(client: SecretsClient, secretId: string, signal: AbortSignal) {
  const { DescribeSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  return await askAws(
    'secretsmanager:DescribeSecret',
    client
      .send(new DescribeSecretCommand({ SecretId: secretId }), { abortSignal: signal })
      .then((described): typeof described | undefined => described),
    { ResourceNotFoundException: () => undefined },
  );
}

/** One version of a secret; `undefined` where there is no such version. */
export async function readVersion(
  client: SecretsClient,
  secretId: string,
  version: string,
  signal: AbortSignal,
): Promise<GetSecretValueCommandOutput | undefined> {
  const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  return await askAws<GetSecretValueCommandOutput | undefined>(
    'secretsmanager:GetSecretValue',
    client.send(new GetSecretValueCommand({ SecretId: secretId, VersionId: version }), {
      abortSignal: signal,
    }),
    { ResourceNotFoundException: () => undefined },
  );
}

/** The version that carries a staging label. */
export function versionWith(stage: string, stages: Record<string, string[]> | undefined): string | undefined {
  return Object.entries(stages ?? {}).find(([, labels]) => labels.includes(stage))?.[0];
}

/** Content of a version, be it bytes or text; `undefined` without one. */
export function contentOf(version: GetSecretValueCommandOutput | undefined): Uint8Array | undefined {
  if (version?.SecretBinary !== undefined) return version.SecretBinary;
  return version?.SecretString === undefined ? undefined : Buffer.from(version.SecretString, 'utf8');
}

export function isSame(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && Buffer.compare(left, right) === 0;
}
