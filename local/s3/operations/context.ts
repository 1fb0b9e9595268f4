import type { RestRequest, RestResponse, XmlElement } from '../../aws/plumbing.ts';
import { writeXml } from '../../aws/plumbing.ts';
import { DetailedS3Error, noSuchBucket, s3Error } from '../errors.ts';
import { type ActionFacts, authorize } from '../model/authorize.ts';
import type { Bucket } from '../model/records.ts';
import type { S3 } from '../s3.ts';

/** Request for a bucket and a key, both empty where there is none. */
export interface S3Request extends RestRequest {
  readonly bucketName: string;
  readonly key: string;
  /** Query, decoded; of a name given twice the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

export type S3Operation = (s3: S3, request: S3Request) => Promise<RestResponse> | RestResponse;

export const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const MAX_DOCUMENT_BYTES = 256 * 1024;
const NOTHING = new Uint8Array();

/**
 * Finds the bucket that a request names, where the caller may do this to it.
 * @throws AwsServiceError NoSuchBucket, AccessDenied, AuthorizationHeaderMalformed
 */
export function openBucket(s3: S3, request: S3Request, facts: ActionFacts): Bucket {
  const bucket = s3.findBucket(request.bucketName);
  if (bucket === undefined) throw noSuchBucket(request.bucketName);
  if (request.credential !== undefined && request.region !== bucket.region) {
    const { region } = bucket;
    const said = `The authorization header is malformed; the region '${request.region}' is wrong; expecting '${region}'`;
    throw new DetailedS3Error(
      'AuthorizationHeaderMalformed',
      said,
      { Region: region },
      { 'x-amz-bucket-region': region },
    );
  }
  const expected = request.headers.get('x-amz-expected-bucket-owner');
  if (expected !== undefined && expected !== bucket.accountId) throw s3Error('AccessDenied', 'Access Denied');
  if (s3.isClosed(bucket.accountId)) throw s3Error('AccessDenied', 'Access Denied');
  authorize(request, bucket, facts);
  return bucket;
}

/** Creates a response of an XML document. */
export function xmlResponse(
  root: XmlElement,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): RestResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/xml', ...headers },
    body: writeXml({ namespace: NAMESPACE, ...root }),
  };
}

/** Creates a response without content. */
export function emptyResponse(headers: Readonly<Record<string, string>> = {}, status = 200): RestResponse {
  return { status, headers, body: NOTHING };
}

/** Reads a document of settings as text. @throws AwsServiceError */
export async function readDocument(request: S3Request): Promise<string> {
  return Buffer.from(await request.body.bytes(MAX_DOCUMENT_BYTES)).toString('utf8');
}

/** Reads the number of a parameter between 0 and a maximum, which is also its default. @throws AwsServiceError InvalidArgument */
export function readCount(request: S3Request, name: string, max: number): number {
  const text = request.parameters.get(name);
  if (text === undefined || text === '') return max;
  if (!/^[0-9]{1,9}$/.test(text))
    throw s3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`);
  return Math.min(Number(text), max);
}
