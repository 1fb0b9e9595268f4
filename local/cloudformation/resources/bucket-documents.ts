import type { XmlElement } from '../../aws/plumbing.ts';
import { isObject, type TemplateObject, type TemplateValue } from '../template/value.ts';
import { invalid, listOf, neededText, objectIn, textOf } from './values.ts';

/** Property of a bucket that is a document of S3's own, put under a sub-resource. */
export interface BucketDocument {
  readonly property: string;
  /** Sub-resource. */
  readonly query: string;
  readonly isDeletable: boolean;
  /** Makes S3's document of the property's value. @throws AwsServiceError InvalidRequest */
  readonly encode: (value: TemplateValue) => XmlElement;
}

/** Documents in the order in which they are put: Object Lock needs versions. */
export function bucketDocuments(): readonly BucketDocument[] {
  return [
    document('VersioningConfiguration', 'versioning', encodeVersioning),
    document('ObjectLockConfiguration', 'object-lock', encodeObjectLock),
    document('PublicAccessBlockConfiguration', 'publicAccessBlock', encodePublicAccess, true),
    document('OwnershipControls', 'ownershipControls', encodeOwnership, true),
    document('BucketEncryption', 'encryption', encodeEncryption, true),
    document('LifecycleConfiguration', 'lifecycle', encodeLifecycle, true),
    document('LoggingConfiguration', 'logging', encodeLogging),
    { property: 'Tags', query: 'tagging', isDeletable: true, encode: encodeTags },
  ];
}

function document(
  property: string,
  query: string,
  encode: (value: TemplateObject) => XmlElement,
  isDeletable = false,
): BucketDocument {
  return {
    property,
    query,
    isDeletable,
    encode(value) {
      if (!isObject(value)) throw invalid(property, 'Object');
      return encode(value);
    },
  };
}

function group(name: string, ...content: readonly (XmlElement | undefined)[]): XmlElement {
  return { name, content: content.filter((child) => child !== undefined) };
}

/** Element of a text that may be absent, under S3's name for it. */
function optionalText(object: TemplateObject, member: string, name = member): XmlElement | undefined {
  const content = textOf(object, member);
  return content === undefined ? undefined : { name, content };
}

function assertKnown(object: TemplateObject, where: string, names: readonly string[]): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`${where}/${unknown}`, 'a member that this stand-in knows');
}

function encodeVersioning(value: TemplateObject): XmlElement {
  assertKnown(value, 'VersioningConfiguration', ['Status']);
  return group('VersioningConfiguration', { name: 'Status', content: neededText(value, 'Status') });
}

function encodeObjectLock(value: TemplateObject): XmlElement {
  assertKnown(value, 'ObjectLockConfiguration', ['ObjectLockEnabled', 'Rule']);
  const rule = objectIn(value, 'Rule');
  const retention = rule && objectIn(rule, 'DefaultRetention');
  return group(
    'ObjectLockConfiguration',
    { name: 'ObjectLockEnabled', content: textOf(value, 'ObjectLockEnabled') ?? 'Enabled' },
    retention &&
      group(
        'Rule',
        group(
          'DefaultRetention',
          optionalText(retention, 'Mode'),
          optionalText(retention, 'Days'),
          optionalText(retention, 'Years'),
        ),
      ),
  );
}

function encodePublicAccess(value: TemplateObject): XmlElement {
  const names = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'];
  assertKnown(value, 'PublicAccessBlockConfiguration', names);
  return group(
    'PublicAccessBlockConfiguration',
    ...names.map((name) => ({ name, content: textOf(value, name) ?? 'false' })),
  );
}

function rulesOf(value: TemplateObject, member: string): TemplateObject[] {
  return listOf(value, member).map((rule) => {
    if (!isObject(rule)) throw invalid(member, 'List of Object');
    return rule;
  });
}

function encodeOwnership(value: TemplateObject): XmlElement {
  return group(
    'OwnershipControls',
    ...rulesOf(value, 'Rules').map((rule) => group('Rule', optionalText(rule, 'ObjectOwnership'))),
  );
}

function encodeEncryption(value: TemplateObject): XmlElement {
  const rules = rulesOf(value, 'ServerSideEncryptionConfiguration').map((rule) => {
    const byDefault = objectIn(rule, 'ServerSideEncryptionByDefault');
    return group(
      'Rule',
      byDefault &&
        group(
          'ApplyServerSideEncryptionByDefault',
          optionalText(byDefault, 'SSEAlgorithm'),
          optionalText(byDefault, 'KMSMasterKeyID'),
        ),
      optionalText(rule, 'BucketKeyEnabled'),
    );
  });
  return group('ServerSideEncryptionConfiguration', ...rules);
}

function encodeLifecycle(value: TemplateObject): XmlElement {
  const known = [
    'Id',
    'Status',
    'Prefix',
    'ExpirationInDays',
    'NoncurrentVersionExpiration',
    'AbortIncompleteMultipartUpload',
  ];
  const rules = rulesOf(value, 'Rules').map((rule) => {
    assertKnown(rule, 'LifecycleConfiguration/Rules', known);
    const noncurrent = objectIn(rule, 'NoncurrentVersionExpiration');
    const abort = objectIn(rule, 'AbortIncompleteMultipartUpload');
    const days = optionalText(rule, 'ExpirationInDays', 'Days');
    return group(
      'Rule',
      optionalText(rule, 'Id', 'ID'),
      group('Filter', { name: 'Prefix', content: textOf(rule, 'Prefix') ?? '' }),
      optionalText(rule, 'Status'),
      days && group('Expiration', days),
      noncurrent && group('NoncurrentVersionExpiration', optionalText(noncurrent, 'NoncurrentDays')),
      abort && group('AbortIncompleteMultipartUpload', optionalText(abort, 'DaysAfterInitiation')),
    );
  });
  return group('LifecycleConfiguration', ...rules);
}

function encodeLogging(value: TemplateObject): XmlElement {
  assertKnown(value, 'LoggingConfiguration', ['DestinationBucketName', 'LogFilePrefix']);
  return group(
    'BucketLoggingStatus',
    group('LoggingEnabled', optionalText(value, 'DestinationBucketName', 'TargetBucket'), {
      name: 'TargetPrefix',
      content: textOf(value, 'LogFilePrefix') ?? '',
    }),
  );
}

function encodeTags(value: TemplateValue): XmlElement {
  const tags = rulesOf({ Tags: value }, 'Tags').map((tag) =>
    group(
      'Tag',
      { name: 'Key', content: neededText(tag, 'Key') },
      { name: 'Value', content: textOf(tag, 'Value') ?? '' },
    ),
  );
  return group('Tagging', group('TagSet', ...tags));
}
