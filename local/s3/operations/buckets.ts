import type { RestResponse, XmlElement } from '../../aws/plumbing.ts';
import { element } from '../../aws/plumbing.ts';
import { childText, parseXml } from '../../aws/xml-reader.ts';
import { s3Error } from '../errors.ts';
import { arnOf, authorizeOwn } from '../model/authorize.ts';
import type { S3 } from '../s3.ts';
import { emptyResponse, openBucket, readDocument, type S3Request, xmlResponse } from './context.ts';

/** Source: S3 API Reference, "CreateBucket". Repeating it is an error in every Region, as newer Regions have it. */
export async function createBucket(s3: S3, request: S3Request): Promise<RestResponse> {
  const { bucketName: name, credential } = request;
  authorizeOwn(request, 's3:CreateBucket', arnOf({ name }));
  const region = await readRegion(request);
  const objectLock = request.headers.get('x-amz-bucket-object-lock-enabled') === 'true';
  const accountId = credential?.caller.accountId ?? '';
  s3.createBucket({ name, accountId, region, objectLock });
  return emptyResponse({ Location: `/${name}` });
}

async function readRegion(request: S3Request): Promise<string> {
  const text = await readDocument(request);
  const constraint = text === '' ? undefined : childText(parseXml(text), 'LocationConstraint');
  const region = constraint === undefined || constraint === '' ? 'us-east-1' : constraint;
  if (region === request.region) return region;
  throw s3Error(
    'IllegalLocationConstraintException',
    `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

/** Source: S3 API Reference, "DeleteBucket". */
export function deleteBucket(s3: S3, request: S3Request): RestResponse {
  openBucket(s3, request, { action: 's3:DeleteBucket' });
  s3.deleteBucket(request.bucketName);
  return emptyResponse({}, 204);
}

/** Source: S3 API Reference, "HeadBucket". */
export function headBucket(s3: S3, request: S3Request): RestResponse {
  const { region } = openBucket(s3, request, { action: 's3:ListBucket' });
  return emptyResponse({ 'x-amz-bucket-region': region, 'x-amz-access-point-alias': 'false' });
}

/** Source: S3 API Reference, "GetBucketLocation". */
export function getBucketLocation(s3: S3, request: S3Request): RestResponse {
  const { region } = openBucket(s3, request, { action: 's3:GetBucketLocation' });
  return xmlResponse(element('LocationConstraint', region === 'us-east-1' ? '' : region));
}

/** Source: S3 API Reference, "ListBuckets". */
export function listBuckets(s3: S3, request: S3Request): RestResponse {
  authorizeOwn(request, 's3:ListAllMyBuckets');
  const accountId = request.credential?.caller.accountId ?? '';
  const prefix = request.parameters.get('prefix') ?? '';
  const buckets = s3.store
    .buckets()
    .filter((bucket) => bucket.accountId === accountId && bucket.name.startsWith(prefix))
    .map(({ name, createdAt, region }) =>
      element('Bucket', { Name: name, CreationDate: new Date(createdAt), BucketRegion: region }),
    );
  const content: XmlElement[] = [ownerOf(accountId), { name: 'Buckets', content: buckets }];
  return xmlResponse({ name: 'ListAllMyBucketsResult', content });
}

/** Source: S3 API Reference, "GetBucketAcl": the owner's own list, the only one where ownership is enforced. */
export function getBucketAcl(s3: S3, request: S3Request): RestResponse {
  const { accountId } = openBucket(s3, request, { action: 's3:GetBucketAcl' });
  return xmlResponse({
    name: 'AccessControlPolicy',
    content: [ownerOf(accountId), element('AccessControlList', '')],
  });
}

/** Canonical id of an account: hex of the length that S3's have. */
export function ownerOf(accountId: string, name = 'Owner'): XmlElement {
  return element(name, { ID: Buffer.from(accountId).toString('hex').padEnd(64, '0') });
}
