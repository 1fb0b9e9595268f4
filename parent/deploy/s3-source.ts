import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { DeployError } from './errors.ts';
import type { DeploymentSource } from './source.ts';

const ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})\/((?:[A-Za-z0-9._-]{1,128}\/){0,16})([0-9a-f]{64})\/?$/;

/** Bucket, prefix and id that an address `s3://BUCKET/PREFIX/ID` names. */
export interface S3Address {
  readonly bucket: string;
  /** Prefix of the files' keys, which ends with the id and a slash. */
  readonly prefix: string;
  readonly id: string;
}

/** Parses an address; undefined where it is none that ends with the id of a deployment. */
export function parseS3Address(address: string): S3Address | undefined {
  const [, bucket, folders, id] = ADDRESS.exec(address) ?? [];
  if (bucket === undefined || folders === undefined || id === undefined) return undefined;
  return { bucket, prefix: `${folders}${id}/`, id };
}

/** Creates a source that reads a folder of a bucket with the credentials of the host's role. */
export function createS3Source(
  { bucket, prefix, id }: S3Address,
  client: Pick<S3Client, 'send' | 'destroy'>,
): DeploymentSource {
  return {
    id,
    async open(name, signal) {
      const key = `${prefix}${name}`;
      // No other verb of a parent has to load the SDK.
      const { GetObjectCommand, NoSuchKey } = await import('@aws-sdk/client-s3');
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key });
        const { Body } = await client.send(command, { abortSignal: signal });
        return Body instanceof Readable ? Body : null;
      } catch (error) {
        if (error instanceof NoSuchKey) return null;
        const reason = error instanceof Error ? error.name : 'unknown';
        throw new DeployError(
          'DEPLOYMENT_SOURCE_UNAVAILABLE',
          'S3 does not give the file',
          { bucket, key, reason },
          error,
        );
      }
    },
    close: () => client.destroy(),
  };
}
