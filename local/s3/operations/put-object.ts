import { parseQuery, splitTarget, decodeUri } from '../../../shared/aws-sigv4/index.ts';
import { element, type ReceivedBody, type RestResponse } from '../../aws/plumbing.ts';
import { noSuchKey, s3Error } from '../errors.ts';
import { authorize, type ActionFacts } from '../model/authorize.ts';
import { type ChecksumAlgorithm, digestFile } from '../model/checksums.ts';
import type { Bucket, Lock, Version } from '../model/records.ts';
import type { NewContent, S3 } from '../s3.ts';
import { emptyResponse, openBucket, type S3Request, xmlResponse } from './context.ts';
import { findVersion, permitReading } from './get-object.ts';
import {
  announcedChecksum,
  askedAlgorithm,
  checksumFields,
  readAttributes,
  readLock,
  versionFields,
} from './object-fields.ts';
import { assertMayPut } from './preconditions.ts';

const MAX_KEY_BYTES = 1024;
const DAY = 86_400_000;

/**
 * Condition key by which a policy tells the operations that make an object from those that only prepare one in parts.
 * Source: S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
 */
export const CREATES = { 's3:ObjectCreationOperation': 'true' } as const;
export const PREPARES = { 's3:ObjectCreationOperation': 'false' } as const;

/** Asks for what putting an object with these fields takes. @throws AwsServiceError AccessDenied */
export function openForPut(
  s3: S3,
  request: S3Request,
  operation: typeof CREATES | typeof PREPARES = CREATES,
): { readonly bucket: Bucket; readonly lock: Lock } {
  const { key, headers, now } = request;
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw s3Error('KeyTooLongError', 'Your key is too long');
  const lock = readLock(request);
  const keys: ActionFacts['keys'] = {
    ...operation,
    's3:x-amz-acl': headers.get('x-amz-acl'),
    's3:x-amz-storage-class': headers.get('x-amz-storage-class'),
    's3:x-amz-server-side-encryption': headers.get('x-amz-server-side-encryption'),
    's3:x-amz-server-side-encryption-aws-kms-key-id': headers.get(
      'x-amz-server-side-encryption-aws-kms-key-id',
    ),
    's3:object-lock-mode': lock.mode,
    's3:object-lock-retain-until-date': headers.get('x-amz-object-lock-retain-until-date'),
    's3:object-lock-remaining-retention-days':
      lock.until === undefined ? undefined : String(Math.ceil((lock.until - now) / DAY)),
    's3:object-lock-legal-hold': headers.get('x-amz-object-lock-legal-hold'),
  };
  const bucket = openBucket(s3, request, { action: 's3:PutObject', key, keys });
  if (lock.mode !== undefined) authorize(request, bucket, { action: 's3:PutObjectRetention', key, keys });
  if (lock.hold) authorize(request, bucket, { action: 's3:PutObjectLegalHold', key, keys });
  if (headers.has('x-amz-tagging')) authorize(request, bucket, { action: 's3:PutObjectTagging', key, keys });
  if (
    headers.has('x-amz-acl') &&
    headers.get('x-amz-acl') !== 'bucket-owner-full-control' &&
    headers.get('x-amz-acl') !== 'private'
  ) {
    throw s3Error('InvalidRequest', 'The bucket does not allow ACLs');
  }
  return { bucket, lock };
}

/** Source: S3 API Reference, "PutObject". */
export async function putObject(s3: S3, request: S3Request): Promise<RestResponse> {
  const { bucket, lock } = openForPut(s3, request);
  assertMayPut(s3, request);
  const attributes = readAttributes(request);
  const received = await receiveContent(s3, request);
  const isLocked = lock.mode !== undefined || lock.hold;
  if (isLocked && !received.isChecked) {
    s3.store.removeFile(received.content.file);
    throw s3Error(
      'InvalidRequest',
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
  }
  const version = commit(s3, request, { ...received.content, attributes }, lock);
  return emptyResponse({
    ETag: `"${received.content.etag}"`,
    ...checksumFields(received.content),
    ...attributes.encryption,
    ...versionFields(version, bucket.versioning !== 'Unversioned'),
  });
}

/**
 * Names content as the latest version, if the request's conditions still hold: nothing comes between. The content's file is
 * removed where they do not.
 */
export function commit(s3: S3, request: S3Request, content: NewContent, lock: Lock): Version {
  let bucket: Bucket;
  try {
    bucket = s3.bucket(request.bucketName);
    assertMayPut(s3, request);
  } catch (error) {
    s3.store.removeFile(content.file);
    throw error;
  }
  return s3.addVersion(bucket, request.key, content, lock);
}

/**
 * Keeps the body of a request, compared with the checksums that came with it.
 * @throws AwsServiceError BadDigest, InvalidDigest, InvalidRequest
 */
export async function receiveContent(
  s3: S3,
  request: S3Request,
  fallback: ChecksumAlgorithm = 'CRC64NVME',
): Promise<{ readonly content: Omit<NewContent, 'attributes'>; readonly isChecked: boolean }> {
  const { body, headers } = request;
  const announced = announcedChecksum(request, body);
  const algorithm = announced?.algorithm ?? askedAlgorithm(request) ?? fallback;
  const { size, md5, checksum } = await digestFile(body.path, algorithm);
  assertMd5(headers.get('content-md5'), md5);
  if (announced !== undefined && announced.value !== checksum) {
    throw s3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  }
  return {
    content: {
      file: await keepBody(s3, body),
      size,
      etag: md5,
      checksum: { algorithm, value: checksum, type: 'FULL_OBJECT' },
    },
    isChecked: announced !== undefined || headers.has('content-md5'),
  };
}

async function keepBody(s3: S3, body: ReceivedBody): Promise<string> {
  return body.path === undefined ? await s3.keepEmpty() : await s3.store.keepFile(body.path);
}

function assertMd5(claimed: string | undefined, md5: string): void {
  if (claimed === undefined) return;
  const bytes = Buffer.from(claimed, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== claimed) {
    throw s3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  if (bytes.toString('hex') !== md5) {
    throw s3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
}

/** Source: S3 API Reference, "CopyObject". */
export async function copyObject(s3: S3, request: S3Request): Promise<RestResponse> {
  const { bucket, lock } = openForPut(s3, request);
  const source = parseSource(request.headers.get('x-amz-copy-source') ?? '');
  const from = { ...request, bucketName: source.bucket, key: source.key };
  const { bucket: sourceBucket } = permitReading(s3, from, source.versionId, 's3:GetObject');
  const version = findVersion(s3, from, source.versionId);
  const { content } = version;
  if (content === undefined) throw noSuchKey(source.key);
  const replaces = request.headers.get('x-amz-metadata-directive') === 'REPLACE';
  const isSame = source.bucket === request.bucketName && source.key === request.key;
  if (isSame && !replaces && source.versionId === undefined) {
    throw s3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const attributes = replaces ? readAttributes(request) : content.attributes;
  const file = s3.store.copyFile(content.file);
  const algorithm = askedAlgorithm(request) ?? content.checksum.algorithm;
  const { md5, checksum, size } = await digestFile(s3.store.pathOf(file), algorithm);
  const copied: NewContent = {
    file,
    size,
    etag: md5,
    checksum: { algorithm, value: checksum, type: 'FULL_OBJECT' },
    attributes,
  };
  const added = commit(s3, request, copied, lock);
  return xmlResponse(
    element('CopyObjectResult', {
      LastModified: new Date(added.modifiedAt),
      ETag: `"${copied.etag}"`,
      ChecksumType: 'FULL_OBJECT',
      [`Checksum${algorithm}`]: checksum,
    }),
    {
      ...(sourceBucket.versioning === 'Unversioned'
        ? {}
        : { 'x-amz-copy-source-version-id': version.versionId }),
      ...attributes.encryption,
      ...versionFields(added, bucket.versioning !== 'Unversioned'),
    },
  );
}

function parseSource(text: string) {
  const { path, query } = splitTarget(text);
  const decoded = decodeUri(path.replace(/^\//, '')) ?? '';
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) {
    throw s3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  const versionId = parseQuery(query).find(([name]) => name === 'versionId')?.[1];
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1), versionId };
}
