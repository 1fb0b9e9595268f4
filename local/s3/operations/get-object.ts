import { element, type RestResponse } from '../../aws/plumbing.ts';
import { accessDenied, DetailedS3Error, noSuchKey, s3Error } from '../errors.ts';
import { type ActionFacts, isAllowed } from '../model/authorize.ts';
import type { Bucket, Version } from '../model/records.ts';
import type { S3 } from '../s3.ts';
import { emptyResponse, openBucket, type S3Request, xmlResponse } from './context.ts';
import { checksumFields, objectFields, versionFields } from './object-fields.ts';
import { isNotModified } from './preconditions.ts';

/** Response fields that the query of GetObject may set. */
const OVERRIDES = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/** Actions on an object of which each has another name for one version. */
type ReadAction = 's3:GetObject' | 's3:GetObjectTagging' | 's3:GetObjectAttributes';

/**
 * Asks for what reading an object takes. Whoever may not list the bucket is not told that an object is missing.
 * @throws AwsServiceError AccessDenied, NoSuchBucket
 */
export function permitReading(
  s3: S3,
  request: S3Request,
  versionId: string | undefined,
  action: ReadAction,
): { readonly bucket: Bucket } {
  const { key } = request;
  const facts: ActionFacts = {
    action: versionId === undefined ? action : action.replace('Object', 'ObjectVersion'),
    key,
    keys: { 's3:VersionId': versionId },
  };
  const bucket = openBucket(s3, request, facts);
  const isMissing = s3.latest(bucket.name, key) === undefined && versionId === undefined;
  if (isMissing && !isAllowed(request, bucket, { action: 's3:ListBucket', keys: { 's3:prefix': key } })) {
    throw accessDenied();
  }
  return { bucket };
}

/** Finds the version that a request names, or the latest. @throws AwsServiceError NoSuchKey, NoSuchVersion, MethodNotAllowed */
export function findVersion(s3: S3, { bucketName, key }: S3Request, versionId: string | undefined): Version {
  const versions = s3.store.versionsOf(bucketName, key);
  if (versionId === undefined) {
    const [latest] = versions;
    if (latest === undefined) throw noSuchKey(key);
    if (latest.content === undefined) throw noSuchKey(key, versionFields(latest, true));
    return latest;
  }
  const version = versions.find((candidate) => candidate.versionId === versionId);
  if (version === undefined) {
    throw new DetailedS3Error('NoSuchVersion', 'The specified version does not exist.', {
      Key: key,
      VersionId: versionId,
    });
  }
  return version;
}

/** Source: S3 API Reference, "GetObject" and "HeadObject": the second is the first without its body. */
export function getObject(s3: S3, request: S3Request): RestResponse {
  const versionId = request.parameters.get('versionId');
  const { bucket } = permitReading(s3, request, versionId, 's3:GetObject');
  const version = findVersion(s3, request, versionId);
  const { content } = version;
  const isVersioned = bucket.versioning !== 'Unversioned';
  if (content === undefined) {
    throw new DetailedS3Error(
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      { Method: request.method, ResourceType: 'DeleteMarker' },
      { ...versionFields(version, true), Allow: 'DELETE' },
    );
  }
  if (request.parameters.has('partNumber'))
    throw s3Error('NotImplemented', 'Parts of an object are not served.');
  const fields = {
    ...objectFields(version, content),
    ...versionFields(version, isVersioned),
    ...readOverrides(request),
  };
  if (isNotModified(request, version, content)) {
    const { ETag, 'Last-Modified': modified } = fields;
    return emptyResponse({ ETag: ETag ?? '', 'Last-Modified': modified ?? '' }, 304);
  }
  const range = readRange(request.headers.get('range'), content.size);
  const isWhole = range === undefined;
  const path = s3.store.pathOf(content.file);
  const wantsChecksum = request.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  return {
    status: isWhole ? 200 : 206,
    headers: {
      ...fields,
      ...(wantsChecksum && isWhole ? checksumFields(content) : {}),
      ...(isWhole
        ? {}
        : { 'Content-Range': `bytes ${range.start}-${range.start + range.length - 1}/${content.size}` }),
    },
    body: { path, start: range?.start ?? 0, length: range?.length ?? content.size },
  };
}

function readOverrides({ parameters }: S3Request): Record<string, string> {
  return Object.fromEntries(
    OVERRIDES.flatMap((name) => {
      const value = parameters.get(`response-${name}`);
      return value === undefined || /[\r\n\0]/.test(value) ? [] : [[name, value]];
    }),
  );
}

/** Reads one range; several, or what is none, are passed over as RFC 9110, 14.2 lets a server do. */
function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly length: number } | undefined {
  const [, first, last] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === '' && Number(last) === 0)) {
    throw new DetailedS3Error(
      'InvalidRange',
      'The requested range is not satisfiable',
      { RangeRequested: header ?? '', ActualObjectSize: String(size) },
      { 'Content-Range': `bytes */${size}` },
    );
  }
  return { start, length: end - start + 1 };
}

/** Source: S3 API Reference, "GetObjectAttributes". */
export function getObjectAttributes(s3: S3, request: S3Request): RestResponse {
  const versionId = request.parameters.get('versionId');
  const { bucket } = permitReading(s3, request, versionId, 's3:GetObjectAttributes');
  const version = findVersion(s3, request, versionId);
  const { content } = version;
  if (content === undefined) throw noSuchKey(request.key, versionFields(version, true));
  const asked = (request.headers.get('x-amz-object-attributes') ?? '').split(',').map((name) => name.trim());
  const has = <Value>(name: string, value: Value): Value | undefined =>
    asked.includes(name) ? value : undefined;
  const { checksum } = content;
  return xmlResponse(
    element('GetObjectAttributesResponse', {
      ETag: has('ETag', content.etag),
      Checksum: has('Checksum', {
        [`Checksum${checksum.algorithm}`]: checksum.value,
        ChecksumType: checksum.type,
      }),
      ObjectParts: has(
        'ObjectParts',
        content.parts === undefined ? undefined : { TotalPartsCount: content.parts },
      ),
      StorageClass: has('StorageClass', 'STANDARD'),
      ObjectSize: has('ObjectSize', content.size),
    }),
    {
      'Last-Modified': new Date(version.modifiedAt).toUTCString(),
      ...versionFields(version, bucket.versioning !== 'Unversioned'),
    },
  );
}
