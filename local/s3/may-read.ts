import type { RestRequest } from '../aws/plumbing.ts';
import { isAllowed } from './model/authorize.ts';
import type { S3 } from './s3.ts';

/** True where the caller of another service's request may read an object, as services that read for their callers ask. */
export function mayReadObject(
  s3: S3,
  request: RestRequest,
  bucketName: string,
  key: string,
  versionId: string | undefined,
): boolean {
  const bucket = s3.findBucket(bucketName);
  if (bucket === undefined || s3.isClosed(bucket.accountId)) return false;
  const action = versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  return isAllowed(request, bucket, { action, key, keys: { 's3:VersionId': versionId } });
}
