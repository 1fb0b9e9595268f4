import { AwsServiceError, writeXml, type XmlElement } from '../../aws/plumbing.ts';
import type { Made } from '../stacks/stack-record.ts';
import { isSame, type TemplateObject, type TemplateValue } from '../template/value.ts';
import { bucketDocuments } from './bucket-documents.ts';
import { providerOf } from './facts.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import { documentOf, flagOf, isRefusal, neededText, tagsOf, textOf } from './values.ts';

/** Properties of a bucket that this S3 has; a bucket with others is refused. */
const KNOWN = [
  'BucketName',
  'ObjectLockEnabled',
  'Tags',
  'VersioningConfiguration',
  'ObjectLockConfiguration',
  'PublicAccessBlockConfiguration',
  'LoggingConfiguration',
  'BucketEncryption',
  'LifecycleConfiguration',
  'OwnershipControls',
];

/** `AWS::S3::Bucket`. */
const bucket: ResourceProvider = providerOf('AWS::S3::Bucket', {
  async create(context) {
    const { properties } = context;
    const unknown = Object.keys(properties).find((name) => !KNOWN.includes(name));
    if (unknown !== undefined)
      throw new AwsServiceError('InvalidRequest', `${unknown} is unknown to this stand-in`);
    const name = textOf(properties, 'BucketName') ?? context.uniqueName(63).toLowerCase();
    try {
      await context.send('s3', {
        method: 'PUT',
        path: `/${name}`,
        headers:
          flagOf(properties, 'ObjectLockEnabled') === true
            ? { 'x-amz-bucket-object-lock-enabled': 'true' }
            : {},
        body: locationOf(context),
      });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'BucketAlreadyOwnedByYou')) throw error;
    }
    try {
      await configure(context, name, {});
    } catch (error) {
      await removeBucket(context, name).catch(() => undefined);
      throw error;
    }
    return describe(context, name);
  },
  async update(context, { made, properties: before }) {
    await configure(context, made.physicalId, before);
    return made;
  },
  async delete(context, { made }) {
    await removeBucket(context, made.physicalId);
  },
});

function locationOf({ place }: ResourceContext): string {
  if (place.region === 'us-east-1') return '';
  const content: XmlElement[] = [{ name: 'LocationConstraint', content: place.region }];
  return writeXml({ name: 'CreateBucketConfiguration', content }).toString('utf8');
}

async function configure(context: ResourceContext, name: string, before: TemplateObject): Promise<void> {
  const withTags = (properties: TemplateObject): TemplateObject => ({
    ...properties,
    Tags: Object.entries(tagsOf(properties, context.tags)).map(([Key, Value]) => ({ Key, Value })),
  });
  const [wanted, former] = [withTags(context.properties), before];
  for (const { property, query, encode, isDeletable } of bucketDocuments()) {
    const value: TemplateValue | undefined = wanted[property];
    if (isSame(value, former[property])) continue;
    if (value !== undefined) {
      const body = writeXml(encode(value)).toString('utf8');
      await context.send('s3', { method: 'PUT', path: `/${name}`, query, body });
    } else if (isDeletable) {
      await context.send('s3', { method: 'DELETE', path: `/${name}`, query });
    } else {
      throw new AwsServiceError('InvalidRequest', `${property} cannot be taken off a bucket`);
    }
  }
}

async function removeBucket(context: ResourceContext, name: string): Promise<void> {
  try {
    await context.send('s3', { method: 'DELETE', path: `/${name}` });
  } catch (error) {
    if (!isRefusal(error, 'NoSuchBucket')) throw error;
  }
}

function describe({ place: { region } }: ResourceContext, name: string): Made {
  return {
    physicalId: name,
    reference: name,
    attributes: {
      Arn: `arn:aws:s3:::${name}`,
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
      DualStackDomainName: `${name}.s3.dualstack.${region}.amazonaws.com`,
      WebsiteURL: `http://${name}.s3-website.${region}.amazonaws.com`,
    },
  };
}

/** `AWS::S3::BucketPolicy`. */
const bucketPolicy: ResourceProvider = providerOf('AWS::S3::BucketPolicy', {
  async create(context) {
    const name = neededText(context.properties, 'Bucket');
    if (!context.isRepeated && (await hasPolicy(context, name))) {
      throw new AwsServiceError('AlreadyExists', `The bucket policy already exists on bucket ${name}.`);
    }
    await putPolicy(context, name);
    return { physicalId: name, reference: name, attributes: {} };
  },
  async update(context, { made }) {
    await putPolicy(context, made.physicalId);
    return made;
  },
  async delete(context, { made }) {
    try {
      await context.send('s3', { method: 'DELETE', path: `/${made.physicalId}`, query: 'policy' });
    } catch (error) {
      if (!isRefusal(error, 'NoSuchBucket', 'NoSuchBucketPolicy')) throw error;
    }
  },
});

async function putPolicy(context: ResourceContext, name: string): Promise<void> {
  const body = documentOf(context.properties, 'PolicyDocument') ?? '';
  await context.send('s3', { method: 'PUT', path: `/${name}`, query: 'policy', body });
}

async function hasPolicy(context: ResourceContext, name: string): Promise<boolean> {
  try {
    await context.send('s3', { method: 'GET', path: `/${name}`, query: 'policy' });
    return true;
  } catch (error) {
    if (isRefusal(error, 'NoSuchBucketPolicy')) return false;
    throw error;
  }
}

/** Providers of Amazon S3. */
export const S3_PROVIDERS = { 'AWS::S3::Bucket': bucket, 'AWS::S3::BucketPolicy': bucketPolicy };
