import { GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { ArtifactError } from './errors.ts';
import type { ArtifactSource } from './source.ts';

export interface S3ArtifactOptions {
  readonly client: Pick<S3Client, 'send'>;
  readonly bucket: string;
  readonly key: string;
  readonly maxBytes: number;
}

/** Reads an artifact from an object in S3. @throws ArtifactError ARTIFACT_TOO_LARGE, ARTIFACT_UNAVAILABLE */
export function createS3Artifact({ client, bucket, key, maxBytes }: S3ArtifactOptions): ArtifactSource {
  return async (signal) => {
    try {
      // A range of one byte more than the maximum shows that the object is too long, without fetching all of it.
      const range = `bytes=0-${maxBytes}`;
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: range });
      const { Body } = await client.send(command, { abortSignal: signal });
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
      if (bytes.length > maxBytes) {
        throw new ArtifactError('ARTIFACT_TOO_LARGE', 'an object is too long', {
          bucket,
          key,
          maximum: maxBytes,
        });
      }
      return bytes;
    } catch (error) {
      if (error instanceof ArtifactError) throw error;
      if (error instanceof NoSuchKey) return null;
      throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'S3 cannot be asked', { bucket, key }, error);
    }
  };
}

/** Opens one object with the credentials of the host, for a command that asks once. */
export function openBucketObject(
  region: string | undefined,
  object: Omit<S3ArtifactOptions, 'client'>,
): ArtifactSource {
  return async (signal) => {
    const client = new S3Client(region === undefined ? {} : { region });
    try {
      return await createS3Artifact({ ...object, client })(signal);
    } finally {
      client.destroy();
    }
  };
}
