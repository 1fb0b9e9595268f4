import { AwsServiceError, element, type RestResponse, type XmlElement } from '../../aws/plumbing.ts';
import { childrenOf, childText, parseXml } from '../../aws/xml-reader.ts';
import { malformedXml, noSuchKey, s3Error } from '../errors.ts';
import { authorize, isAllowed } from '../model/authorize.ts';
import type { Bucket } from '../model/records.ts';
import type { S3 } from '../s3.ts';
import { emptyResponse, openBucket, readDocument, type S3Request, xmlResponse } from './context.ts';

const MAX_OBJECTS = 1000;

interface Deleted {
  /** Version that was deleted, or the marker that was added. */
  readonly versionId?: string;
  readonly isMarker: boolean;
}

/** Source: S3 API Reference, "DeleteObject". What is not there is deleted, too. */
export function deleteObject(s3: S3, request: S3Request): RestResponse {
  const versionId = request.parameters.get('versionId');
  const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
  const bucket = openBucket(s3, request, { action, key: request.key, keys: { 's3:VersionId': versionId } });
  assertIfMatch(s3, request);
  const deleted = deleteOne(s3, request, bucket, request.key, versionId);
  return emptyResponse(
    {
      ...(deleted.versionId === undefined ? {} : { 'x-amz-version-id': deleted.versionId }),
      ...(deleted.isMarker ? { 'x-amz-delete-marker': 'true' } : {}),
    },
    204,
  );
}

function assertIfMatch(s3: S3, { headers, bucketName, key }: S3Request): void {
  const wanted = headers.get('if-match');
  if (wanted === undefined) return;
  const etag = s3.latest(bucketName, key)?.content?.etag;
  if (etag === undefined) throw noSuchKey(key);
  if (wanted !== '*' && wanted.replace(/^"|"$/g, '') !== etag) {
    throw s3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
}

function deleteOne(
  s3: S3,
  request: S3Request,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): Deleted {
  if (versionId === undefined) {
    const marker = s3.deleteLatest(bucket, key);
    return marker === undefined ? { isMarker: false } : { isMarker: true, versionId: marker.versionId };
  }
  const version = s3.store
    .versionsOf(bucket.name, key)
    .find((candidate) => candidate.versionId === versionId);
  if (version === undefined) return { isMarker: false, versionId };
  s3.deleteVersion(
    version,
    () =>
      request.headers.get('x-amz-bypass-governance-retention')?.toLowerCase() === 'true' &&
      isAllowed(request, bucket, { action: 's3:BypassGovernanceRetention', key }),
  );
  return { isMarker: version.content === undefined, versionId };
}

/** Source: S3 API Reference, "DeleteObjects": each object is decided by itself. */
export async function deleteObjects(s3: S3, request: S3Request): Promise<RestResponse> {
  const bucket = s3.bucket(request.bucketName);
  const root = parseXml(await readDocument(request));
  const objects = childrenOf(root, 'Object');
  if (root.name !== 'Delete' || objects.length === 0 || objects.length > MAX_OBJECTS) throw malformedXml();
  const isQuiet = childText(root, 'Quiet') === 'true';
  const results = objects.map((object): XmlElement | undefined => {
    const key = childText(object, 'Key') ?? '';
    const versionId = childText(object, 'VersionId');
    try {
      const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
      authorize(request, bucket, { action, key, keys: { 's3:VersionId': versionId } });
      const deleted = deleteOne(s3, request, bucket, key, versionId);
      if (isQuiet) return undefined;
      return element('Deleted', {
        Key: key,
        VersionId: versionId,
        DeleteMarker: deleted.isMarker ? true : undefined,
        DeleteMarkerVersionId: deleted.isMarker ? deleted.versionId : undefined,
      });
    } catch (error) {
      if (!(error instanceof AwsServiceError)) throw error;
      return element('Error', { Key: key, VersionId: versionId, Code: error.code, Message: error.message });
    }
  });
  return xmlResponse({ name: 'DeleteResult', content: results.filter((result) => result !== undefined) });
}
