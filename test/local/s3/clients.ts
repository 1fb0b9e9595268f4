import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';

export const REGION = 'eu-central-1';

export interface Person {
  readonly accountId: string;
  readonly userName?: string;
  readonly policies?: readonly string[];
}

/** Opens the official client for a person of an account, an administrator where nothing else is said. */
export function openS3(aws: LocalAws, person: Person, more: Partial<S3ClientConfig> = {}): S3Client {
  const client = new S3Client({
    ...aws.clientOptions('s3', REGION),
    credentials: aws.directory.createAccessKey({
      userName: 'person',
      policies: [ADMINISTRATOR_POLICY],
      ...person,
    }),
    maxAttempts: 1,
    // The SDK takes an agent of its own, without our authority, for a request that expects 100 Continue.
    expectContinueHeader: false,
    ...more,
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** Name of an error of an SDK. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
