import type { ReceivedBody } from '../../aws/plumbing.ts';
import { parseQuery } from '../../../shared/aws-sigv4/index.ts';
import { s3Error } from '../errors.ts';
import { type AnnouncedChecksum, findChecksum, parseAlgorithm } from '../model/checksums.ts';
import { type Attributes, type Content, type Lock, LOCK_MODES, type Version } from '../model/records.ts';
import type { S3Request } from './context.ts';

/** Fields of an object that are given back as they came. */
const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
const METADATA = 'x-amz-meta-';
const MAX_METADATA_BYTES = 2048;
const ENCRYPTION = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];
const MAX_TAGS = 10;

/** Reads what a request says of an object beside its content. @throws AwsServiceError MetadataTooLarge, InvalidArgument */
export function readAttributes({ headers }: S3Request): Attributes {
  const pick = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = headers.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  const metadata = [...headers].filter(([name]) => name.startsWith(METADATA));
  const size = metadata.reduce((sum, [name, value]) => sum + name.length - METADATA.length + value.length, 0);
  if (size > MAX_METADATA_BYTES) {
    throw s3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  }
  return {
    headers: dropChunked(pick(KEPT_HEADERS)),
    metadata: Object.fromEntries(metadata.map(([name, value]) => [name.slice(METADATA.length), value])),
    tags: readTags(headers.get('x-amz-tagging')),
    encryption: { 'x-amz-server-side-encryption': 'AES256', ...pick(ENCRYPTION) },
  };
}

/** `aws-chunked` says how a body travelled, and is no encoding of the object. */
function dropChunked({
  'content-encoding': encoding,
  ...headers
}: Record<string, string>): Record<string, string> {
  const left = (encoding ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'aws-chunked');
  return left.length === 0 ? headers : { ...headers, 'content-encoding': left.join(',') };
}

function readTags(text: string | undefined): Record<string, string> {
  const tags = parseQuery((text ?? '').replaceAll('+', '%20'));
  const names = new Set(tags.map(([name]) => name));
  if (names.size !== tags.length || tags.length > MAX_TAGS || tags.some(([name]) => name === '')) {
    throw s3Error(
      'InvalidArgument',
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    );
  }
  return Object.fromEntries(tags);
}

/** Reads the protection that a request asks for. @throws AwsServiceError InvalidArgument */
export function readLock({ headers }: S3Request): Lock {
  const mode = headers.get('x-amz-object-lock-mode');
  const until = headers.get('x-amz-object-lock-retain-until-date');
  const hold = headers.get('x-amz-object-lock-legal-hold');
  if ((mode === undefined) !== (until === undefined)) {
    throw s3Error(
      'InvalidArgument',
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
    );
  }
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF') {
    throw s3Error('InvalidArgument', "Legal Hold must be either of 'ON' or 'OFF'");
  }
  return {
    hold: hold === 'ON',
    ...(mode === undefined || until === undefined ? {} : { mode: parseMode(mode), until: parseDate(until) }),
  };
}

/** @throws AwsServiceError InvalidArgument */
export function parseMode(text: string): NonNullable<Lock['mode']> {
  const mode = LOCK_MODES.find((known) => known === text);
  if (mode === undefined) throw s3Error('InvalidArgument', 'Unknown wormMode directive.');
  return mode;
}

/** Reads a time of ISO 8601 in milliseconds since 1970. @throws AwsServiceError InvalidArgument */
export function parseDate(text: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (Number.isNaN(time)) {
    throw s3Error('InvalidArgument', 'The retain until date must be provided in ISO 8601 format');
  }
  return time;
}

/** Checksum that a request announces in its head or after its body. @throws AwsServiceError InvalidRequest */
export function announcedChecksum({ headers }: S3Request, body: ReceivedBody): AnnouncedChecksum | undefined {
  const fromHead = findChecksum(headers);
  const fromTrailer = findChecksum(body.trailers);
  if (fromHead !== undefined && fromTrailer !== undefined) {
    throw s3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header');
  }
  const trailer = headers.get('x-amz-trailer');
  if (trailer !== undefined && fromTrailer === undefined) {
    throw s3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not in the body.');
  }
  return fromHead ?? fromTrailer;
}

/** Algorithm that the client asks for without a value of its own. @throws AwsServiceError InvalidRequest */
export function askedAlgorithm({ headers }: S3Request) {
  const name = headers.get('x-amz-checksum-algorithm') ?? headers.get('x-amz-sdk-checksum-algorithm');
  return name === undefined ? undefined : parseAlgorithm(name);
}

/** Fields of a checksum in a response. */
export function checksumFields({ checksum }: Pick<Content, 'checksum'>): Record<string, string> {
  return {
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

/** Fields that say which version a response is of. */
export function versionFields(version: Version, isVersioned: boolean): Record<string, string> {
  return {
    ...(isVersioned ? { 'x-amz-version-id': version.versionId } : {}),
    ...(version.content === undefined ? { 'x-amz-delete-marker': 'true' } : {}),
  };
}

/** Fields that describe an object to GET and HEAD. */
export function objectFields(version: Version, content: Content): Record<string, string> {
  const { attributes } = content;
  const { lock } = version;
  const tags = Object.keys(attributes.tags).length;
  return {
    'Last-Modified': new Date(version.modifiedAt).toUTCString(),
    ETag: `"${content.etag}"`,
    'Accept-Ranges': 'bytes',
    'content-type': 'binary/octet-stream',
    ...attributes.headers,
    ...Object.fromEntries(
      Object.entries(attributes.metadata).map(([name, value]) => [`${METADATA}${name}`, value]),
    ),
    ...attributes.encryption,
    ...(tags === 0 ? {} : { 'x-amz-tagging-count': String(tags) }),
    ...(lock.mode === undefined ? {} : { 'x-amz-object-lock-mode': lock.mode }),
    ...(lock.until === undefined
      ? {}
      : { 'x-amz-object-lock-retain-until-date': new Date(lock.until).toISOString() }),
    ...(lock.hold ? { 'x-amz-object-lock-legal-hold': 'ON' } : {}),
  };
}
