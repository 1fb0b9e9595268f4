import type { RestResponse, XmlElement } from '../../aws/plumbing.ts';
import { element } from '../../aws/plumbing.ts';
import { childrenOf, childText, parseXml } from '../../aws/xml-reader.ts';
import { malformedXml, s3Error, type S3ErrorCode } from '../errors.ts';
import {
  type KeptDocument,
  LOCK_MODES,
  type LockRule,
  type PublicAccessBlock,
  publicAccessBlockSchema,
} from '../model/records.ts';
import type { S3 } from '../s3.ts';
import {
  emptyResponse,
  openBucket,
  readDocument,
  type S3Operation,
  type S3Request,
  xmlResponse,
} from './context.ts';

/** Reads a document whose root has a name. @throws AwsServiceError MalformedXML */
async function readRoot(request: S3Request, name: string): Promise<XmlElement> {
  const root = parseXml(await readDocument(request));
  if (root.name !== name) throw malformedXml();
  return root;
}

/** Source: S3 API Reference, "PutBucketVersioning". */
export async function putBucketVersioning(s3: S3, request: S3Request): Promise<RestResponse> {
  openBucket(s3, request, { action: 's3:PutBucketVersioning' });
  const status = childText(await readRoot(request, 'VersioningConfiguration'), 'Status');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  s3.setVersioning(request.bucketName, status);
  return emptyResponse();
}

/** Source: S3 API Reference, "GetBucketVersioning". */
export function getBucketVersioning(s3: S3, request: S3Request): RestResponse {
  const { versioning } = openBucket(s3, request, { action: 's3:GetBucketVersioning' });
  const status = versioning === 'Unversioned' ? undefined : versioning;
  return xmlResponse(element('VersioningConfiguration', { Status: status }));
}

/** Source: S3 API Reference, "PutBucketPolicy". */
export async function putBucketPolicy(s3: S3, request: S3Request): Promise<RestResponse> {
  openBucket(s3, request, { action: 's3:PutBucketPolicy' });
  s3.setPolicy(request.bucketName, await readDocument(request));
  return emptyResponse({}, 204);
}

/** Source: S3 API Reference, "GetBucketPolicy". */
export function getBucketPolicy(s3: S3, request: S3Request): RestResponse {
  const { policy } = openBucket(s3, request, { action: 's3:GetBucketPolicy' });
  if (policy === undefined) throw s3Error('NoSuchBucketPolicy', 'The bucket policy does not exist');
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(policy) };
}

/** Source: S3 API Reference, "DeleteBucketPolicy". */
export function deleteBucketPolicy(s3: S3, request: S3Request): RestResponse {
  openBucket(s3, request, { action: 's3:DeleteBucketPolicy' });
  s3.setPolicy(request.bucketName, undefined);
  return emptyResponse({}, 204);
}

/** Source: S3 API Reference, "GetBucketPolicyStatus": public policies are refused, so that none is. */
export function getBucketPolicyStatus(s3: S3, request: S3Request): RestResponse {
  openBucket(s3, request, { action: 's3:GetBucketPolicyStatus' });
  return xmlResponse(element('PolicyStatus', { IsPublic: false }));
}

/** Source: S3 API Reference, "PutObjectLockConfiguration". */
export async function putObjectLockConfiguration(s3: S3, request: S3Request): Promise<RestResponse> {
  openBucket(s3, request, { action: 's3:PutBucketObjectLockConfiguration' });
  const root = await readRoot(request, 'ObjectLockConfiguration');
  if (childText(root, 'ObjectLockEnabled') !== 'Enabled') throw malformedXml();
  const [rule] = childrenOf(root, 'Rule');
  s3.setObjectLock(request.bucketName, rule === undefined ? undefined : parseRule(rule));
  return emptyResponse();
}

function parseRule(rule: XmlElement): LockRule {
  const [retention] = childrenOf(rule, 'DefaultRetention');
  if (retention === undefined) throw malformedXml();
  const mode = LOCK_MODES.find((known) => known === childText(retention, 'Mode'));
  const [days, years] = ['Days', 'Years'].map((name) => childText(retention, name));
  if (mode === undefined || (days === undefined) === (years === undefined)) throw malformedXml();
  const count = Number(days ?? years);
  if (!Number.isSafeInteger(count) || count < 1 || count > (days === undefined ? 100 : 36_500)) {
    throw s3Error('InvalidArgument', 'Default retention period must be a positive integer value');
  }
  return days === undefined ? { mode, years: count } : { mode, days: count };
}

/** Source: S3 API Reference, "GetObjectLockConfiguration". */
export function getObjectLockConfiguration(s3: S3, request: S3Request): RestResponse {
  const { objectLock } = openBucket(s3, request, { action: 's3:GetBucketObjectLockConfiguration' });
  if (objectLock === undefined) {
    throw s3Error(
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    );
  }
  const { rule } = objectLock;
  const retention = rule && { Mode: rule.mode, Days: rule.days, Years: rule.years };
  return xmlResponse(
    element('ObjectLockConfiguration', {
      ObjectLockEnabled: 'Enabled',
      Rule: retention && { DefaultRetention: retention },
    }),
  );
}

/** Source: S3 API Reference, "PutPublicAccessBlock". */
export async function putPublicAccessBlock(s3: S3, request: S3Request): Promise<RestResponse> {
  openBucket(s3, request, { action: 's3:PutBucketPublicAccessBlock' });
  const root = await readRoot(request, 'PublicAccessBlockConfiguration');
  const names = Object.keys(publicAccessBlockSchema.shape);
  const block = Object.fromEntries(names.map((name) => [name, childText(root, name) === 'true']));
  s3.setPublicAccessBlock(request.bucketName, block as PublicAccessBlock);
  return emptyResponse();
}

/** Source: S3 API Reference, "GetPublicAccessBlock". */
export function getPublicAccessBlock(s3: S3, request: S3Request): RestResponse {
  const bucket = openBucket(s3, request, { action: 's3:GetBucketPublicAccessBlock' });
  if (bucket.publicAccessBlock === undefined) {
    throw s3Error(
      'NoSuchPublicAccessBlockConfiguration',
      'The public access block configuration was not found',
    );
  }
  return xmlResponse(element('PublicAccessBlockConfiguration', bucket.publicAccessBlock));
}

/** Source: S3 API Reference, "DeletePublicAccessBlock". */
export function deletePublicAccessBlock(s3: S3, request: S3Request): RestResponse {
  openBucket(s3, request, { action: 's3:PutBucketPublicAccessBlock' });
  s3.setPublicAccessBlock(request.bucketName, undefined);
  return emptyResponse({}, 204);
}

interface DocumentKind {
  readonly root: string;
  readonly getAction: string;
  readonly putAction: string;
  /** What a bucket without one answers; an empty document where none is named. */
  readonly absent?: S3ErrorCode;
  /** HTTP status of a document that was put. */
  readonly putStatus: number;
}

/** Documents that are kept and shown. */
export const DOCUMENTS: Readonly<Record<KeptDocument, DocumentKind>> = {
  logging: {
    root: 'BucketLoggingStatus',
    getAction: 's3:GetBucketLogging',
    putAction: 's3:PutBucketLogging',
    putStatus: 200,
  },
  encryption: {
    root: 'ServerSideEncryptionConfiguration',
    getAction: 's3:GetEncryptionConfiguration',
    putAction: 's3:PutEncryptionConfiguration',
    putStatus: 200,
  },
  lifecycle: {
    root: 'LifecycleConfiguration',
    getAction: 's3:GetLifecycleConfiguration',
    putAction: 's3:PutLifecycleConfiguration',
    absent: 'NoSuchLifecycleConfiguration',
    putStatus: 200,
  },
  ownershipControls: {
    root: 'OwnershipControls',
    getAction: 's3:GetBucketOwnershipControls',
    putAction: 's3:PutBucketOwnershipControls',
    putStatus: 200,
  },
  tagging: {
    root: 'Tagging',
    getAction: 's3:GetBucketTagging',
    putAction: 's3:PutBucketTagging',
    absent: 'NoSuchTagSet',
    putStatus: 204,
  },
};

/** What every bucket has from its birth. */
const DEFAULTS: Readonly<Partial<Record<KeptDocument, XmlElement>>> = {
  encryption: element('ServerSideEncryptionConfiguration', {
    Rule: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false },
  }),
  ownershipControls: element('OwnershipControls', { Rule: { ObjectOwnership: 'BucketOwnerEnforced' } }),
};

export function getDocument(kind: KeptDocument): S3Operation {
  const { getAction, absent, root } = DOCUMENTS[kind];
  return (s3, request) => {
    const bucket = openBucket(s3, request, { action: getAction });
    const document = bucket.documents[kind] ?? DEFAULTS[kind];
    if (document === undefined && absent !== undefined) {
      throw s3Error(absent, 'The configuration does not exist');
    }
    return xmlResponse(document ?? element(root, ''));
  };
}

export function putDocument(kind: KeptDocument): S3Operation {
  const { putAction, root, putStatus } = DOCUMENTS[kind];
  return async (s3, request) => {
    openBucket(s3, request, { action: putAction });
    s3.setDocument(request.bucketName, kind, await readRoot(request, root));
    return emptyResponse({}, putStatus);
  };
}

export function deleteDocument(kind: KeptDocument): S3Operation {
  const { putAction } = DOCUMENTS[kind];
  return (s3, request) => {
    openBucket(s3, request, { action: putAction });
    s3.setDocument(request.bucketName, kind, undefined);
    return emptyResponse({}, 204);
  };
}
