import { encodeUri } from '../../../shared/aws-sigv4/index.ts';
import { element, type RestResponse, type XmlElement } from '../../aws/plumbing.ts';
import { s3Error } from '../errors.ts';
import type { Version } from '../model/records.ts';
import { compareKeys } from '../model/store.ts';
import type { S3 } from '../s3.ts';
import { ownerOf } from './buckets.ts';
import { openBucket, readCount, type S3Request, xmlResponse } from './context.ts';

const MAX_KEYS = 1000;

interface Entry<Item> {
  readonly key: string;
  readonly item: Item;
}

/** One page of a listing, in the order of keys; keys that share what a delimiter ends are one common prefix. */
interface Page<Item> {
  readonly rows: readonly (Entry<Item> | { readonly prefix: string })[];
  readonly isTruncated: boolean;
}

interface Filter {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
}

function readFilter(request: S3Request): Filter {
  const encoding = request.parameters.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url')
    throw s3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return {
    prefix: request.parameters.get('prefix') ?? '',
    delimiter: request.parameters.get('delimiter') ?? '',
    maxKeys: readCount(request, 'max-keys', MAX_KEYS),
  };
}

function permitListing(s3: S3, request: S3Request, action: string): void {
  const { parameters } = request;
  openBucket(s3, request, {
    action,
    keys: {
      's3:prefix': parameters.get('prefix') ?? '',
      's3:delimiter': parameters.get('delimiter'),
      's3:max-keys': parameters.get('max-keys'),
    },
  });
}

/** @param isAfter whether an entry, or a common prefix, comes after what a former page showed */
function paginate<Item>(
  entries: readonly Entry<Item>[],
  { prefix, delimiter, maxKeys }: Filter,
  isAfter: (entry: Entry<Item>) => boolean,
  isPrefixAfter: (commonPrefix: string) => boolean,
): Page<Item> {
  const rows: (Entry<Item> | { prefix: string })[] = [];
  let last: string | undefined;
  for (const entry of entries) {
    if (!entry.key.startsWith(prefix)) continue;
    const end = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const common = end < 0 ? undefined : entry.key.slice(0, end + delimiter.length);
    if (common === undefined ? !isAfter(entry) : common === last || !isPrefixAfter(common)) continue;
    if (rows.length >= maxKeys) return { rows, isTruncated: maxKeys > 0 };
    if (common === undefined) rows.push(entry);
    else rows.push({ prefix: common });
    last = common;
  }
  return { rows, isTruncated: false };
}

/** Encodes names as the client asked. */
function encoderOf(request: S3Request): (text: string) => string {
  if (request.parameters.get('encoding-type') !== 'url') return (text) => text;
  return (text) => encodeUri(text).replaceAll('%2F', '/').replaceAll('%20', '+').replaceAll('%2A', '*');
}

function currentObjects(s3: S3, bucket: string): Entry<Version>[] {
  return s3.store
    .keysOf(bucket)
    .flatMap(([key, [latest]]) => (latest?.content === undefined ? [] : [{ key, item: latest }]));
}

function describeObject(
  { item: { content, modifiedAt }, key }: Entry<Version>,
  encode: (text: string) => string,
  owner: XmlElement | undefined,
): XmlElement {
  const described = element('Contents', {
    Key: encode(key),
    LastModified: new Date(modifiedAt),
    ETag: `"${content?.etag ?? ''}"`,
    ChecksumAlgorithm: content?.checksum.algorithm,
    ChecksumType: content?.checksum.type,
    Size: content?.size,
    StorageClass: 'STANDARD',
  });
  if (owner === undefined) return described;
  return { ...described, content: [...(described.content as readonly XmlElement[]), owner] };
}

function describePage<Item>(
  { rows }: Page<Item>,
  encode: (text: string) => string,
  describe: (entry: Entry<Item>) => XmlElement,
): { readonly items: XmlElement[]; readonly prefixes: XmlElement[] } {
  return {
    items: rows.flatMap((row) => ('prefix' in row ? [] : [describe(row)])),
    prefixes: rows.flatMap((row) =>
      'prefix' in row ? [element('CommonPrefixes', { Prefix: encode(row.prefix) })] : [],
    ),
  };
}

function nameOf(row: Page<unknown>['rows'][number] | undefined): string {
  if (row === undefined) return '';
  return 'prefix' in row ? row.prefix : row.key;
}

function members(object: Readonly<Record<string, unknown>>): XmlElement[] {
  const { content } = element('x', object);
  return typeof content === 'string' ? [] : [...content];
}

/** Source: S3 API Reference, "ListObjectsV2". */
export function listObjectsV2(s3: S3, request: S3Request): RestResponse {
  permitListing(s3, request, 's3:ListBucket');
  const { parameters, bucketName } = request;
  const token = parameters.get('continuation-token');
  const startAfter = parameters.get('start-after');
  const after = token === undefined ? (startAfter ?? '') : decodeToken(token);
  const filter = readFilter(request);
  const page = listAfter(s3, bucketName, filter, after);
  const encode = encoderOf(request);
  const owner =
    parameters.get('fetch-owner') === 'true' ? ownerOf(s3.bucket(bucketName).accountId) : undefined;
  const { items, prefixes } = describePage(page, encode, (entry) => describeObject(entry, encode, owner));
  const last = nameOf(page.rows.at(-1));
  const head = members({
    Name: bucketName,
    Prefix: encode(filter.prefix),
    StartAfter: startAfter === undefined ? undefined : encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.isTruncated ? encodeToken(last) : undefined,
    KeyCount: page.rows.length,
    MaxKeys: filter.maxKeys,
    Delimiter: filter.delimiter === '' ? undefined : encode(filter.delimiter),
    EncodingType: parameters.get('encoding-type'),
    IsTruncated: page.isTruncated,
  });
  return xmlResponse({ name: 'ListBucketResult', content: [...head, ...items, ...prefixes] });
}

/** Source: S3 API Reference, "ListObjects". */
export function listObjects(s3: S3, request: S3Request): RestResponse {
  permitListing(s3, request, 's3:ListBucket');
  const { parameters, bucketName } = request;
  const marker = parameters.get('marker') ?? '';
  const filter = readFilter(request);
  const page = listAfter(s3, bucketName, filter, marker);
  const encode = encoderOf(request);
  const owner = ownerOf(s3.bucket(bucketName).accountId);
  const { items, prefixes } = describePage(page, encode, (entry) => describeObject(entry, encode, owner));
  const head = members({
    Name: bucketName,
    Prefix: encode(filter.prefix),
    Marker: encode(marker),
    NextMarker: page.isTruncated && filter.delimiter !== '' ? encode(nameOf(page.rows.at(-1))) : undefined,
    MaxKeys: filter.maxKeys,
    Delimiter: filter.delimiter === '' ? undefined : encode(filter.delimiter),
    EncodingType: parameters.get('encoding-type'),
    IsTruncated: page.isTruncated,
  });
  return xmlResponse({ name: 'ListBucketResult', content: [...head, ...items, ...prefixes] });
}

function listAfter(s3: S3, bucketName: string, filter: Filter, after: string): Page<Version> {
  return paginate(
    currentObjects(s3, bucketName),
    filter,
    ({ key }) => compareKeys(key, after) > 0,
    // A page may end in the middle of what a common prefix holds only where the marker is a key below it.
    (common) => compareKeys(common, after) > 0 && !after.startsWith(common),
  );
}

/** Source: S3 API Reference, "ListObjectVersions". */
export function listObjectVersions(s3: S3, request: S3Request): RestResponse {
  permitListing(s3, request, 's3:ListBucketVersions');
  const { parameters, bucketName } = request;
  const keyMarker = parameters.get('key-marker') ?? '';
  const versionMarker = parameters.get('version-id-marker') ?? '';
  if (versionMarker !== '' && keyMarker === '') {
    throw s3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
  }
  const entries = s3.store
    .keysOf(bucketName)
    .flatMap(([key, versions]) =>
      versions.map((version, index) => ({ key, item: { version, isLatest: index === 0 } })),
    );
  const marked = entries.find(
    ({ key, item }) => key === keyMarker && item.version.versionId === versionMarker,
  );
  const filter = readFilter(request);
  const page = paginate(
    entries,
    filter,
    ({ key, item: { version } }) => {
      const order = compareKeys(key, keyMarker);
      if (order !== 0) return order > 0;
      return versionMarker !== '' && marked !== undefined && version.sequence < marked.item.version.sequence;
    },
    (common) => compareKeys(common, keyMarker) > 0 && !keyMarker.startsWith(common),
  );
  const encode = encoderOf(request);
  const owner = ownerOf(s3.bucket(bucketName).accountId);
  const { items, prefixes } = describePage(page, encode, ({ key, item: { version, isLatest } }) => {
    const { content } = version;
    const shared = {
      Key: encode(key),
      VersionId: version.versionId,
      IsLatest: isLatest,
      LastModified: new Date(version.modifiedAt),
    };
    const described =
      content === undefined
        ? element('DeleteMarker', shared)
        : element('Version', {
            ...shared,
            ETag: `"${content.etag}"`,
            ChecksumAlgorithm: content.checksum.algorithm,
            ChecksumType: content.checksum.type,
            Size: content.size,
            StorageClass: 'STANDARD',
          });
    return { ...described, content: [...(described.content as readonly XmlElement[]), owner] };
  });
  const lastRow = page.rows.at(-1);
  const lastVersion = lastRow === undefined || 'prefix' in lastRow ? '' : lastRow.item.version.versionId;
  const head = members({
    Name: bucketName,
    Prefix: encode(filter.prefix),
    KeyMarker: encode(keyMarker),
    VersionIdMarker: versionMarker,
    NextKeyMarker: page.isTruncated ? encode(nameOf(lastRow)) : undefined,
    NextVersionIdMarker: page.isTruncated ? lastVersion : undefined,
    MaxKeys: filter.maxKeys,
    Delimiter: filter.delimiter === '' ? undefined : encode(filter.delimiter),
    EncodingType: parameters.get('encoding-type'),
    IsTruncated: page.isTruncated,
  });
  return xmlResponse({ name: 'ListVersionsResult', content: [...head, ...items, ...prefixes] });
}

function encodeToken(name: string): string {
  return Buffer.from(name).toString('base64');
}

function decodeToken(token: string): string {
  const name = Buffer.from(token, 'base64');
  if (token === '' || name.toString('base64') !== token) {
    throw s3Error('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return name.toString('utf8');
}
