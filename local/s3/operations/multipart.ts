import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { element, type RestResponse, type XmlElement } from '../../aws/plumbing.ts';
import { childrenOf, childText, parseXml } from '../../aws/xml-reader.ts';
import { malformedXml, s3Error } from '../errors.ts';
import { digestBytes, digestFile } from '../model/checksums.ts';
import type { Checksum, Upload } from '../model/records.ts';
import { newVersionId } from '../model/store.ts';
import type { S3 } from '../s3.ts';
import { ownerOf } from './buckets.ts';
import {
  emptyResponse,
  openBucket,
  readCount,
  readDocument,
  type S3Request,
  xmlResponse,
} from './context.ts';
import { askedAlgorithm, checksumFields, readAttributes, versionFields } from './object-fields.ts';
import { assertMayPut } from './preconditions.ts';
import { commit, CREATES, openForPut, PREPARES, receiveContent } from './put-object.ts';

const MAX_PARTS = 10_000;
/** Smallest part but the last, in bytes. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

type Part = Upload['parts'][number];

/** Source: S3 API Reference, "CreateMultipartUpload". */
export function createMultipartUpload(s3: S3, request: S3Request): RestResponse {
  const { lock } = openForPut(s3, request, PREPARES);
  const algorithm = askedAlgorithm(request) ?? 'CRC64NVME';
  const type = (request.headers.get('x-amz-checksum-type') ??
    (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')) as Checksum['type'];
  if (type !== 'FULL_OBJECT' && type !== 'COMPOSITE')
    throw s3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
  const id = newVersionId();
  const { bucketName: bucket, key } = request;
  s3.store.saveUpload({
    id,
    bucket,
    key,
    startedAt: request.now,
    attributes: readAttributes(request),
    lock,
    checksum: { algorithm, type },
    initiator: request.credential?.caller.accountId ?? '',
    parts: [],
  });
  return xmlResponse(element('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id }), {
    'x-amz-checksum-algorithm': algorithm,
    'x-amz-checksum-type': type,
    'x-amz-server-side-encryption': 'AES256',
  });
}

/** @throws AwsServiceError NoSuchUpload */
function findUpload(s3: S3, request: S3Request): Upload {
  const upload = s3.store.findUpload(request.parameters.get('uploadId') ?? '');
  if (upload === undefined || upload.bucket !== request.bucketName || upload.key !== request.key) {
    throw s3Error(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    );
  }
  return upload;
}

/** Source: S3 API Reference, "UploadPart". */
export async function uploadPart(s3: S3, request: S3Request): Promise<RestResponse> {
  openBucket(s3, request, { action: 's3:PutObject', key: request.key, keys: PREPARES });
  const upload = findUpload(s3, request);
  if (request.headers.has('x-amz-copy-source')) {
    throw s3Error('NotImplemented', 'Parts are not copied from objects.');
  }
  const number = Number(request.parameters.get('partNumber'));
  if (!Number.isSafeInteger(number) || number < 1 || number > MAX_PARTS) {
    throw s3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
  }
  const { content } = await receiveContent(s3, request, upload.checksum.algorithm);
  const latest = s3.store.findUpload(upload.id);
  if (latest === undefined) s3.store.removeFile(content.file);
  const { parts, ...rest } = findUpload(s3, request);
  const part: Part = {
    number,
    file: content.file,
    size: content.size,
    etag: content.etag,
    checksum: content.checksum.value,
    modifiedAt: request.now,
  };
  const others = parts.filter((other) => other.number !== number);
  const replaced = parts.find((other) => other.number === number);
  s3.store.saveUpload({ ...rest, parts: [...others, part].sort((a, b) => a.number - b.number) });
  if (replaced !== undefined) s3.store.removeFile(replaced.file);
  const { 'x-amz-checksum-type': _, ...checksum } = checksumFields(content);
  return emptyResponse({ ETag: `"${content.etag}"`, ...checksum });
}

/** Source: S3 API Reference, "CompleteMultipartUpload". */
export async function completeMultipartUpload(s3: S3, request: S3Request): Promise<RestResponse> {
  const bucket = openBucket(s3, request, { action: 's3:PutObject', key: request.key, keys: CREATES });
  const upload = findUpload(s3, request);
  const parts = readParts(upload, parseXml(await readDocument(request)));
  assertMayPut(s3, request);
  const path = join(s3.store.incoming, randomUUID());
  for (const [index, { file }] of parts.entries()) {
    const flags = index === 0 ? 'wx' : 'a';
    await pipeline(createReadStream(s3.store.pathOf(file)), createWriteStream(path, { flags, mode: 0o600 }));
  }
  const { algorithm, type } = upload.checksum;
  const { checksum: whole, size } = await digestFile(path, algorithm);
  const raw = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum, 'base64')));
  const value = type === 'FULL_OBJECT' ? whole : `${digestBytes(raw, algorithm)}-${parts.length}`;
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')));
  const etag = `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`;
  const file = await s3.store.keepFile(path);
  try {
    // Another may have completed or aborted it meanwhile.
    findUpload(s3, request);
  } catch (error) {
    s3.store.removeFile(file);
    throw error;
  }
  const content = {
    file,
    size,
    etag,
    checksum: { algorithm, value, type },
    attributes: upload.attributes,
    parts: parts.length,
  };
  const version = commit(s3, request, content, upload.lock);
  s3.store.removeUpload(upload);
  return xmlResponse(
    element('CompleteMultipartUploadResult', {
      Location: `https://${request.host}/${upload.bucket}/${upload.key}`,
      Bucket: upload.bucket,
      Key: upload.key,
      ETag: `"${etag}"`,
      [`Checksum${algorithm}`]: value,
      ChecksumType: type,
    }),
    { ...versionFields(version, bucket.versioning !== 'Unversioned'), ...upload.attributes.encryption },
  );
}

function readParts(upload: Upload, root: XmlElement): Part[] {
  const listed = childrenOf(root, 'Part');
  if (root.name !== 'CompleteMultipartUpload' || listed.length === 0) throw malformedXml();
  let previous = 0;
  const parts = listed.map((entry) => {
    const number = Number(childText(entry, 'PartNumber'));
    if (!Number.isSafeInteger(number)) throw malformedXml();
    if (number <= previous) {
      throw s3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    previous = number;
    const part = upload.parts.find((candidate) => candidate.number === number);
    const etag = (childText(entry, 'ETag') ?? '').replaceAll('"', '');
    const { algorithm } = upload.checksum;
    const checksum = childText(entry, `Checksum${algorithm}`);
    if (part === undefined || part.etag !== etag || (checksum !== undefined && checksum !== part.checksum)) {
      throw s3Error(
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      );
    }
    return part;
  });
  if (parts.slice(0, -1).some(({ size }) => size < MIN_PART_BYTES)) {
    throw s3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  }
  return parts;
}

/** Source: S3 API Reference, "AbortMultipartUpload". */
export function abortMultipartUpload(s3: S3, request: S3Request): RestResponse {
  openBucket(s3, request, { action: 's3:AbortMultipartUpload', key: request.key });
  s3.store.removeUpload(findUpload(s3, request));
  return emptyResponse({}, 204);
}

/** Source: S3 API Reference, "ListParts". */
export function listParts(s3: S3, request: S3Request): RestResponse {
  openBucket(s3, request, { action: 's3:ListMultipartUploadParts', key: request.key });
  const upload = findUpload(s3, request);
  const maxParts = readCount(request, 'max-parts', 1000);
  const after = Number(request.parameters.get('part-number-marker') ?? 0);
  const rest = upload.parts.filter(({ number }) => number > after);
  const shown = rest.slice(0, maxParts);
  const head = element('x', {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: after,
    NextPartNumberMarker: shown.at(-1)?.number,
    MaxParts: maxParts,
    IsTruncated: shown.length < rest.length,
    StorageClass: 'STANDARD',
  }).content as readonly XmlElement[];
  const parts = shown.map(({ number, etag, size, modifiedAt }) =>
    element('Part', {
      PartNumber: number,
      LastModified: new Date(modifiedAt),
      ETag: `"${etag}"`,
      Size: size,
    }),
  );
  return xmlResponse({ name: 'ListPartsResult', content: [...head, ...parts] });
}

/** Source: S3 API Reference, "ListMultipartUploads". All are on one page. */
export function listMultipartUploads(s3: S3, request: S3Request): RestResponse {
  const bucket = openBucket(s3, request, { action: 's3:ListBucketMultipartUploads' });
  const prefix = request.parameters.get('prefix') ?? '';
  const uploads = s3.store
    .uploadsOf(bucket.name)
    .filter(({ key }) => key.startsWith(prefix))
    .map(({ key, id, startedAt, initiator }): XmlElement => {
      const content = element('x', {
        Key: key,
        UploadId: id,
        StorageClass: 'STANDARD',
        Initiated: new Date(startedAt),
      }).content as readonly XmlElement[];
      return {
        name: 'Upload',
        content: [...content, ownerOf(initiator, 'Initiator'), ownerOf(bucket.accountId)],
      };
    });
  const head = element('x', { Bucket: bucket.name, Prefix: prefix, MaxUploads: 1000, IsTruncated: false })
    .content as readonly XmlElement[];
  return xmlResponse({ name: 'ListMultipartUploadsResult', content: [...head, ...uploads] });
}
