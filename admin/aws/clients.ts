import { Agent } from 'node:https';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { AdminError } from '../errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Which AWS is asked, and as whom; credentials come from where the AWS SDK looks for them. */
export interface AwsAccess {
  readonly region: string;
  /** A profile of the AWS configuration; where the SDK looks by itself when left out. */
  readonly profile?: string;
  /** An https URL in place of AWS's own. */
  readonly endpoint?: string;
  /** Authorities in PEM that are trusted, and no others; those of Node when left out. */
  readonly ca?: Uint8Array;
}

/** A client for KMS; whoever opened it destroys it. */
export async function openKms(access: AwsAccess): Promise<KMSClient> {
  const { KMSClient: Client } = await import('@aws-sdk/client-kms');
  return new Client(await toClientOptions(access));
}

/** A client for Secrets Manager; whoever opened it destroys it. */
export async function openSecretsManager(access: AwsAccess): Promise<SecretsManagerClient> {
  const { SecretsManagerClient: Client } = await import('@aws-sdk/client-secrets-manager');
  return new Client(await toClientOptions(access));
}

/** A client for CloudFormation; whoever opened it destroys it. */
export async function openCloudFormation(access: AwsAccess): Promise<CloudFormationClient> {
  const { CloudFormationClient: Client } = await import('@aws-sdk/client-cloudformation');
  return new Client(await toClientOptions(access));
}

/** A client for Lambda; whoever opened it destroys it. */
export async function openLambda(access: AwsAccess): Promise<LambdaClient> {
  const { LambdaClient: Client } = await import('@aws-sdk/client-lambda');
  return new Client(await toClientOptions(access));
}

/** A client for S3 that names buckets in the path; whoever opened it destroys it. */
export async function openS3(access: AwsAccess): Promise<S3Client> {
  const { S3Client: Client } = await import('@aws-sdk/client-s3');
  return new Client({ ...(await toClientOptions(access)), forcePathStyle: true });
}

/** A client for Systems Manager; whoever opened it destroys it. */
export async function openSsm(access: AwsAccess): Promise<SSMClient> {
  const { SSMClient: Client } = await import('@aws-sdk/client-ssm');
  return new Client(await toClientOptions(access));
}

/** A client for the Security Token Service; whoever opened it destroys it. */
export async function openSts(access: AwsAccess): Promise<STSClient> {
  const { STSClient: Client } = await import('@aws-sdk/client-sts');
  return new Client(await toClientOptions(access));
}

async function toClientOptions({ ca, ...access }: AwsAccess) {
  return { ...access, requestHandler: await createHandler(ca) };
}

async function createHandler(ca: Uint8Array | undefined): Promise<NodeHttpHandler> {
  const { NodeHttpHandler: Handler } = await import('@smithy/node-http-handler');
  /** Environment and profile can name an endpoint too: none gets a secret in the clear. */
  class EncryptedHandler extends Handler {
    override async handle(
      ...[request, options]: Parameters<NodeHttpHandler['handle']>
    ): ReturnType<NodeHttpHandler['handle']> {
      if (request.protocol !== 'https:') {
        throw new AdminError('AWS_UNREACHABLE', 'the configured endpoint is not https', {
          endpoint: request.hostname,
        });
      }
      return await super.handle(request, options);
    }
  }
  return new EncryptedHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpsAgent: new Agent({
      keepAlive: true,
      minVersion: 'TLSv1.2',
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    }),
  });
}
