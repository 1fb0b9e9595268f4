import { element, type RestResponse } from '../../aws/plumbing.ts';
import { childrenOf, childText, parseXml } from '../../aws/xml-reader.ts';
import { accessDenied, malformedXml, s3Error } from '../errors.ts';
import { isAllowed } from '../model/authorize.ts';
import { changeRetention } from '../model/lock.ts';
import type { Bucket, Version } from '../model/records.ts';
import type { S3 } from '../s3.ts';
import { emptyResponse, openBucket, readDocument, type S3Request, xmlResponse } from './context.ts';
import { findVersion } from './get-object.ts';
import { parseDate, parseMode, versionFields } from './object-fields.ts';

function openVersion(
  s3: S3,
  request: S3Request,
  action: string,
): { readonly bucket: Bucket; readonly version: Version } {
  const versionId = request.parameters.get('versionId');
  const bucket = openBucket(s3, request, { action, key: request.key, keys: { 's3:VersionId': versionId } });
  return { bucket, version: findVersion(s3, request, versionId) };
}

function openLocked(s3: S3, request: S3Request, action: string): ReturnType<typeof openVersion> {
  const opened = openVersion(s3, request, action);
  if (opened.bucket.objectLock === undefined) {
    throw s3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  }
  return opened;
}

/** Source: S3 API Reference, "PutObjectRetention". */
export async function putObjectRetention(s3: S3, request: S3Request): Promise<RestResponse> {
  openLocked(s3, request, 's3:PutObjectRetention');
  const root = parseXml(await readDocument(request));
  if (root.name !== 'Retention') throw malformedXml();
  const [mode, until] = ['Mode', 'RetainUntilDate'].map((name) => childText(root, name));
  if ((mode === undefined) !== (until === undefined)) throw malformedXml();
  const asked =
    mode === undefined || until === undefined ? {} : { mode: parseMode(mode), until: parseDate(until) };
  const { bucket, version } = openLocked(s3, request, 's3:PutObjectRetention');
  const { lock, bypass } = changeRetention(version, asked, request.now);
  const mayBypass = (): boolean =>
    request.headers.get('x-amz-bypass-governance-retention')?.toLowerCase() === 'true' &&
    isAllowed(request, bucket, { action: 's3:BypassGovernanceRetention', key: request.key });
  if (bypass && !mayBypass()) throw accessDenied('Access Denied because object protected by object lock.');
  s3.store.changeVersion({ ...version, lock });
  return emptyResponse(versionFields(version, true));
}

/** Source: S3 API Reference, "GetObjectRetention". */
export function getObjectRetention(s3: S3, request: S3Request): RestResponse {
  const { version } = openLocked(s3, request, 's3:GetObjectRetention');
  const { mode, until } = version.lock;
  if (mode === undefined || until === undefined) throw noConfiguration();
  return xmlResponse(element('Retention', { Mode: mode, RetainUntilDate: new Date(until) }));
}

/** Source: S3 API Reference, "PutObjectLegalHold". */
export async function putObjectLegalHold(s3: S3, request: S3Request): Promise<RestResponse> {
  openLocked(s3, request, 's3:PutObjectLegalHold');
  const status = childText(parseXml(await readDocument(request)), 'Status');
  if (status !== 'ON' && status !== 'OFF') throw malformedXml();
  const { version } = openLocked(s3, request, 's3:PutObjectLegalHold');
  s3.store.changeVersion({ ...version, lock: { ...version.lock, hold: status === 'ON' } });
  return emptyResponse(versionFields(version, true));
}

/** Source: S3 API Reference, "GetObjectLegalHold". */
export function getObjectLegalHold(s3: S3, request: S3Request): RestResponse {
  const { version } = openLocked(s3, request, 's3:GetObjectLegalHold');
  return xmlResponse(element('LegalHold', { Status: version.lock.hold ? 'ON' : 'OFF' }));
}

function noConfiguration(): Error {
  return s3Error(
    'NoSuchObjectLockConfiguration',
    'The specified object does not have a ObjectLock configuration',
  );
}

/** Source: S3 API Reference, "GetObjectTagging". */
export function getObjectTagging(s3: S3, request: S3Request): RestResponse {
  const { version } = openVersion(s3, request, 's3:GetObjectTagging');
  const tags = Object.entries(version.content?.attributes.tags ?? {});
  const set = { name: 'TagSet', content: tags.map(([Key, Value]) => element('Tag', { Key, Value })) };
  return xmlResponse({ name: 'Tagging', content: [set] }, versionFields(version, true));
}

/** Source: S3 API Reference, "PutObjectTagging". */
export async function putObjectTagging(s3: S3, request: S3Request): Promise<RestResponse> {
  openVersion(s3, request, 's3:PutObjectTagging');
  const [set] = childrenOf(parseXml(await readDocument(request)), 'TagSet');
  if (set === undefined) throw malformedXml();
  const tags = childrenOf(set, 'Tag').map((tag) => [
    childText(tag, 'Key') ?? '',
    childText(tag, 'Value') ?? '',
  ]);
  if (tags.length > 10) throw s3Error('InvalidRequest', 'Object tags cannot be greater than 10');
  const { version } = openVersion(s3, request, 's3:PutObjectTagging');
  const { content } = version;
  if (content === undefined) throw s3Error('MethodNotAllowed', 'A delete marker has no tags.');
  const attributes = { ...content.attributes, tags: Object.fromEntries(tags) as Record<string, string> };
  s3.store.changeVersion({ ...version, content: { ...content, attributes } });
  return emptyResponse(versionFields(version, true));
}
