import { noSuchKey, s3Error } from '../errors.ts';
import type { Content, Version } from '../model/records.ts';
import type { S3 } from '../s3.ts';
import type { S3Request } from './context.ts';

/**
 * Asserts the conditions of a write: `If-None-Match: *` for an object that is not there, `If-Match` for the one that is.
 * Source: S3 User Guide, "How to prevent object overwrites with conditional writes".
 * @throws AwsServiceError PreconditionFailed, NoSuchKey, NotImplemented
 */
export function assertMayPut(s3: S3, { bucketName, key, headers }: S3Request): void {
  const current = s3.latest(bucketName, key);
  const ifNoneMatch = headers.get('if-none-match');
  const ifMatch = headers.get('if-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*' || ifMatch !== undefined) {
      throw s3Error('NotImplemented', 'A header you provided implies functionality that is not implemented');
    }
    if (current !== undefined) throw preconditionFailed();
  }
  if (ifMatch !== undefined) {
    if (current?.content === undefined) throw noSuchKey(key);
    if (!matches(ifMatch, current.content.etag)) throw preconditionFailed();
  }
}

/**
 * Evaluates the conditions of a read. @returns true where the client has the object already (304)
 * Source: RFC 9110, 13.2.2.
 * @throws AwsServiceError PreconditionFailed
 */
export function isNotModified({ headers }: S3Request, { modifiedAt }: Version, { etag }: Content): boolean {
  const seconds = Math.floor(modifiedAt / 1000);
  const time = (name: string): number => Math.floor(Date.parse(headers.get(name) ?? '') / 1000);
  const ifMatch = headers.get('if-match');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) throw preconditionFailed();
  } else if (seconds > time('if-unmodified-since')) throw preconditionFailed();
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, etag);
  return seconds <= time('if-modified-since');
}

function matches(list: string, etag: string): boolean {
  return list.split(',').some((entry) => ['*', etag].includes(entry.trim().replace(/^"|"$/g, '')));
}

function preconditionFailed(): Error {
  return s3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
}
