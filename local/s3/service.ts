import {
  decodeUri,
  parseQuery,
  type RequestHead,
  SignatureRefusal,
  type SignatureProblem,
} from '../../shared/aws-sigv4/index.ts';
import type { AwsServiceError } from '../../shared/aws-json/index.ts';
import { parseEndpointHost } from '../aws/exchange.ts';
import { element, type RestResponse, type RestService, writeXml } from '../aws/plumbing.ts';
import { DetailedS3Error, s3Error, type S3ErrorCode } from './errors.ts';
import { KEPT_DOCUMENTS } from './model/records.ts';
import * as buckets from './operations/buckets.ts';
import type { S3Operation } from './operations/context.ts';
import { deleteObject, deleteObjects } from './operations/delete-object.ts';
import { getObject, getObjectAttributes } from './operations/get-object.ts';
import * as listings from './operations/listings.ts';
import * as multipart from './operations/multipart.ts';
import * as protection from './operations/protection.ts';
import { copyObject, putObject } from './operations/put-object.ts';
import * as settings from './operations/settings.ts';
import type { S3 } from './s3.ts';

/** Largest body of one PUT; larger objects come in parts. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** Fifteen minutes, three times as much as with other services. */
const MAX_SKEW = 900_000;

const documents = Object.fromEntries(
  KEPT_DOCUMENTS.flatMap((kind): [string, S3Operation][] => [
    [`GET bucket ${kind}`, settings.getDocument(kind)],
    [`PUT bucket ${kind}`, settings.putDocument(kind)],
    [`DELETE bucket ${kind}`, settings.deleteDocument(kind)],
  ]),
);

/**
 * Operations by method, what the path names, and the sub-resource of the query. Absent are access control lists but for
 * reading the bucket's own, replication, notifications, access points, Select, and copies of parts.
 */
const OPERATIONS: Readonly<Record<string, S3Operation>> = {
  'GET service ': buckets.listBuckets,
  'PUT bucket ': buckets.createBucket,
  'DELETE bucket ': buckets.deleteBucket,
  'HEAD bucket ': buckets.headBucket,
  'GET bucket ': listings.listObjects,
  'GET bucket list-type': listings.listObjectsV2,
  'GET bucket versions': listings.listObjectVersions,
  'GET bucket uploads': multipart.listMultipartUploads,
  'GET bucket location': buckets.getBucketLocation,
  'GET bucket acl': buckets.getBucketAcl,
  'POST bucket delete': deleteObjects,
  'GET bucket versioning': settings.getBucketVersioning,
  'PUT bucket versioning': settings.putBucketVersioning,
  'GET bucket policy': settings.getBucketPolicy,
  'PUT bucket policy': settings.putBucketPolicy,
  'DELETE bucket policy': settings.deleteBucketPolicy,
  'GET bucket policyStatus': settings.getBucketPolicyStatus,
  'GET bucket object-lock': settings.getObjectLockConfiguration,
  'PUT bucket object-lock': settings.putObjectLockConfiguration,
  'GET bucket publicAccessBlock': settings.getPublicAccessBlock,
  'PUT bucket publicAccessBlock': settings.putPublicAccessBlock,
  'DELETE bucket publicAccessBlock': settings.deletePublicAccessBlock,
  ...documents,
  'GET object ': getObject,
  'HEAD object ': getObject,
  'PUT object ': (s3, request) =>
    request.headers.has('x-amz-copy-source') ? copyObject(s3, request) : putObject(s3, request),
  'DELETE object ': deleteObject,
  'GET object attributes': getObjectAttributes,
  'GET object retention': protection.getObjectRetention,
  'PUT object retention': protection.putObjectRetention,
  'GET object legal-hold': protection.getObjectLegalHold,
  'PUT object legal-hold': protection.putObjectLegalHold,
  'GET object tagging': protection.getObjectTagging,
  'PUT object tagging': protection.putObjectTagging,
  'POST object uploads': multipart.createMultipartUpload,
  'PUT object uploadId': multipart.uploadPart,
  'POST object uploadId': multipart.completeMultipartUpload,
  'DELETE object uploadId': multipart.abortMultipartUpload,
  'GET object uploadId': multipart.listParts,
};

/** Parameters that name a sub-resource, those that are not implemented among them: they must not be taken for another. */
const SUBRESOURCES: readonly string[] = [
  ...new Set(Object.keys(OPERATIONS).map((name) => name.split(' ')[2] ?? '')),
  'accelerate',
  'analytics',
  'cors',
  'intelligent-tiering',
  'inventory',
  'metrics',
  'notification',
  'replication',
  'requestPayment',
  'restore',
  'select',
  'session',
  'torrent',
  'website',
].filter((name) => name !== '');

/** Creates Amazon S3 over buckets and objects. */
export function createS3Service(s3: S3): RestService {
  return {
    protocol: 'rest',
    name: 's3',
    pathEncoding: 'once',
    maxSkew: MAX_SKEW,
    maxBodyBytes: MAX_BODY_BYTES,
    bodyFolder: s3.store.incoming,
    route,
    async handle(request) {
      const operation = OPERATIONS[request.operation];
      if (operation === undefined) throw notImplemented();
      const { bucket, key } = locate(request);
      const parameters = new Map(parseQuery(request.query).reverse());
      const response = await operation(s3, { ...request, bucketName: bucket, key, parameters });
      return { ...response, headers: { ...idsOf(request.requestId), ...response.headers } };
    },
    encodeError,
  };
}

/** Bucket by the host's name or else the first segment of the path, and the key; empty where there is none. */
function locate({ headers, path }: Pick<RequestHead, 'headers' | 'path'>): { bucket: string; key: string } {
  const host = headers.get('host') ?? '';
  const [name = ''] = host.toLowerCase().split(':');
  const inHost =
    parseEndpointHost(host)?.prefix ??
    (name.endsWith('.localhost') ? name.slice(0, -'.localhost'.length) : undefined);
  const whole = decodeUri(path.slice(1));
  if (whole === undefined || !path.startsWith('/'))
    throw s3Error('InvalidArgument', "Couldn't parse the specified URI.");
  if (inHost !== undefined) return { bucket: inHost, key: whole };
  const slash = whole.indexOf('/');
  if (slash < 0) return { bucket: whole, key: '' };
  return { bucket: whole.slice(0, slash), key: whole.slice(slash + 1) };
}

/** Name of the operation, the key of the table. @throws AwsServiceError NotImplemented */
function route(head: RequestHead): string {
  const { bucket, key } = locate(head);
  const place = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const names = new Set(parseQuery(head.query).map(([name]) => name));
  const found = SUBRESOURCES.filter((name) => names.has(name));
  const name = `${head.method} ${place} ${found[0] ?? ''}`;
  if (found.length > 1 || !Object.hasOwn(OPERATIONS, name)) throw notImplemented();
  return name;
}

function notImplemented(): AwsServiceError {
  return s3Error(
    'NotImplemented',
    'A header or parameter you provided implies functionality that is not implemented',
  );
}

/** Names of S3 for refusals of signatures. */
const SIGNATURE_NAMES: Readonly<Record<SignatureProblem, S3ErrorCode>> = {
  absent: 'AccessDenied',
  incomplete: 'AuthorizationHeaderMalformed',
  'unknown-key': 'InvalidAccessKeyId',
  'wrong-token': 'InvalidToken',
  'expired-token': 'ExpiredToken',
  skewed: 'RequestTimeTooSkewed',
  'expired-url': 'AccessDenied',
  'wrong-region': 'AuthorizationHeaderMalformed',
  'wrong-service': 'AuthorizationHeaderMalformed',
  headers: 'AccessDenied',
  payload: 'XAmzContentSHA256Mismatch',
  mismatch: 'SignatureDoesNotMatch',
};

function encodeError(
  error: AwsServiceError,
  { requestId, now, path }: { requestId: string; now: number; path: string },
): RestResponse {
  const refusal = error instanceof SignatureRefusal ? nameRefusal(error) : error;
  const fields = refusal instanceof DetailedS3Error ? refusal.fields : {};
  const more = refusal instanceof DetailedS3Error ? refusal.headers : {};
  return {
    status: refusal.status,
    headers: {
      'Content-Type': 'application/xml',
      Date: new Date(now).toUTCString(),
      ...idsOf(requestId),
      ...more,
    },
    body: writeXml(
      element('Error', {
        Code: refusal.code,
        Message: refusal.message,
        ...fields,
        Resource: decodeUri(path) ?? path,
        RequestId: requestId,
        HostId: requestId,
      }),
    ),
  };
}

function nameRefusal({ problem, message, region }: SignatureRefusal): AwsServiceError {
  const code = SIGNATURE_NAMES[problem];
  if (problem === 'wrong-region') {
    const said = `The authorization header is malformed; the region is wrong; expecting '${region ?? ''}'`;
    return new DetailedS3Error(code, said, { Region: region ?? '' });
  }
  return s3Error(code, message);
}

function idsOf(requestId: string): Record<string, string> {
  return { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId };
}
