import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseKeyPolicy, KeyPolicyError } from '../../attestation/key-policy/index.ts';
import type { StateStore, XmlElement } from '../aws/plumbing.ts';
import { DetailedS3Error, noSuchBucket, s3Error } from './errors.ts';
import { digestFile } from './model/checksums.ts';
import { lockOfNew, needsBypass, UNLOCKED } from './model/lock.ts';
import {
  type Attributes,
  type Bucket,
  type Content,
  type KeptDocument,
  type Lock,
  type LockRule,
  type PublicAccessBlock,
  type Version,
} from './model/records.ts';
import { newVersionId, S3Store } from './model/store.ts';

export interface S3Options {
  readonly state: StateStore;
  /** Folder for contents; a temporary one when left out. */
  readonly folder?: string;
  /** Clock in milliseconds since 1970. */
  readonly clock: () => number;
  /** Whether an account was closed, whose buckets nobody uses then; none when left out. */
  readonly isClosed?: (accountId: string) => boolean;
}

export interface NewBucket {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  /** True for a bucket with Object Lock, which is versioned from its birth. */
  readonly objectLock?: boolean;
}

/** Content that lies in the store's folder of data, not yet named by a version. */
export interface NewContent extends Pick<Content, 'file' | 'size' | 'etag' | 'checksum' | 'attributes'> {
  readonly parts?: number;
}

/** Called after a version was added. */
export type ObjectListener = (version: Version) => void;

const BUCKET_NAME =
  /^(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const MAX_POLICY_BYTES = 20 * 1024;
/** What a bucket has since April 2023. Source: S3 User Guide, "Blocking public access to your Amazon S3 storage". */
const BLOCKED: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};
const NO_ATTRIBUTES: Attributes = { headers: {}, metadata: {}, tags: {}, encryption: {} };

/**
 * Buckets and objects of all accounts, without a question of who may: for resource providers in this process, and below the
 * operations that clients ask for. Every refusal is an AwsServiceError under S3's name.
 */
export class S3 {
  readonly store: S3Store;
  readonly isClosed: (accountId: string) => boolean;
  readonly #clock: () => number;
  readonly #listeners = new Set<ObjectListener>();

  constructor({ state, folder, clock, isClosed = () => false }: S3Options) {
    this.isClosed = isClosed;
    this.store = new S3Store(state, folder);
    this.#clock = clock;
  }

  /** Creates a bucket. @throws AwsServiceError BucketAlreadyOwnedByYou, BucketAlreadyExists, InvalidBucketName */
  createBucket({ name, accountId, region, objectLock = false }: NewBucket): Bucket {
    if (!BUCKET_NAME.test(name)) throw s3Error('InvalidBucketName', 'The specified bucket is not valid.');
    const existing = this.store.findBucket(name);
    if (existing !== undefined) {
      throw existing.accountId === accountId
        ? s3Error(
            'BucketAlreadyOwnedByYou',
            'Your previous request to create the named bucket succeeded and you already own it.',
          )
        : s3Error(
            'BucketAlreadyExists',
            'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
          );
    }
    return this.store.saveBucket({
      name,
      accountId,
      region,
      createdAt: this.#clock(),
      versioning: objectLock ? 'Enabled' : 'Unversioned',
      ...(objectLock ? { objectLock: {} } : {}),
      publicAccessBlock: BLOCKED,
      documents: {},
    });
  }

  findBucket(name: string): Bucket | undefined {
    return this.store.findBucket(name);
  }

  /** @throws AwsServiceError NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.store.findBucket(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return bucket;
  }

  /** Deletes a bucket that is empty. @throws AwsServiceError NoSuchBucket, BucketNotEmpty */
  deleteBucket(name: string): void {
    this.bucket(name);
    if (this.store.keysOf(name).length > 0) {
      throw s3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty');
    }
    this.store.removeBucket(name);
  }

  /** @throws AwsServiceError NoSuchBucket, InvalidBucketState */
  setVersioning(name: string, versioning: 'Enabled' | 'Suspended'): void {
    const bucket = this.bucket(name);
    if (versioning === 'Suspended' && bucket.objectLock !== undefined) {
      throw s3Error(
        'InvalidBucketState',
        'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
      );
    }
    this.store.saveBucket({ ...bucket, versioning });
  }

  /**
   * Enables Object Lock, with the rule for new versions, if there is one.
   * @throws AwsServiceError NoSuchBucket, InvalidBucketState
   */
  setObjectLock(name: string, rule?: LockRule): void {
    const bucket = this.bucket(name);
    if (bucket.versioning !== 'Enabled') {
      throw s3Error(
        'InvalidBucketState',
        'Versioning must be "Enabled" on the bucket to apply a Object Lock configuration',
      );
    }
    this.store.saveBucket({ ...bucket, objectLock: rule === undefined ? {} : { rule } });
  }

  /** Sets the policy, or removes it. @throws AwsServiceError NoSuchBucket, MalformedPolicy, AccessDenied */
  setPolicy(name: string, policy: string | undefined): void {
    const { policy: _, ...bucket } = this.bucket(name);
    if (policy === undefined) {
      this.store.saveBucket(bucket);
      return;
    }
    assertPolicy(bucket, policy);
    this.store.saveBucket({ ...bucket, policy });
  }

  /** Sets the block of public access, or removes it. @throws AwsServiceError NoSuchBucket */
  setPublicAccessBlock(name: string, block: PublicAccessBlock | undefined): void {
    const { publicAccessBlock: _, ...bucket } = this.bucket(name);
    this.store.saveBucket({ ...bucket, ...(block === undefined ? {} : { publicAccessBlock: block }) });
  }

  /** Keeps a document that decides nothing here, or removes it. @throws AwsServiceError NoSuchBucket */
  setDocument(name: string, kind: KeptDocument, document: XmlElement | undefined): void {
    const bucket = this.bucket(name);
    const { [kind]: _, ...others } = bucket.documents;
    const documents = document === undefined ? others : { ...others, [kind]: document };
    this.store.saveBucket({ ...bucket, documents });
  }

  /** Latest version; undefined without one, or where it is a delete marker. */
  latest(bucket: string, key: string): Version | undefined {
    const [version] = this.store.versionsOf(bucket, key);
    return version?.content === undefined ? undefined : version;
  }

  /** Puts bytes as an object. */
  async putObject(bucket: string, key: string, bytes: Uint8Array): Promise<Version> {
    const path = join(this.store.incoming, randomUUID());
    await writeFile(path, bytes, { mode: 0o600 });
    const { size, md5, checksum } = await digestFile(path, 'CRC32');
    const file = await this.store.keepFile(path);
    return this.addVersion(this.bucket(bucket), key, {
      file,
      size,
      etag: md5,
      checksum: { algorithm: 'CRC32', value: checksum, type: 'FULL_OBJECT' },
      attributes: NO_ATTRIBUTES,
    });
  }

  /** Makes the file of an object without content. */
  async keepEmpty(): Promise<string> {
    const path = join(this.store.incoming, randomUUID());
    await writeFile(path, '', { mode: 0o600 });
    return await this.store.keepFile(path);
  }

  /** Reads an object, its latest version where none is named; undefined without it. */
  async getObject(bucket: string, key: string, versionId?: string): Promise<Buffer | undefined> {
    const version =
      versionId === undefined
        ? this.latest(bucket, key)
        : this.store.versionsOf(bucket, key).find((candidate) => candidate.versionId === versionId);
    const content = version?.content;
    return content === undefined ? undefined : await readFile(this.store.pathOf(content.file));
  }

  /** Calls a listener after every object that is put, until the returned function is called. */
  onObject(listener: ObjectListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Names content as the latest version. The content's file is removed where that is refused.
   * @throws AwsServiceError InvalidRequest, InvalidArgument, AccessDenied
   */
  addVersion(bucket: Bucket, key: string, content: NewContent, asked: Lock = UNLOCKED): Version {
    try {
      const now = this.#clock();
      const version = this.store.addVersion({
        bucket: bucket.name,
        key,
        versionId: bucket.versioning === 'Enabled' ? newVersionId() : 'null',
        modifiedAt: now,
        content,
        lock: lockOfNew(bucket, asked, now),
      });
      for (const listener of this.#listeners) listener(version);
      return version;
    } catch (error) {
      this.store.removeFile(content.file);
      throw error;
    }
  }

  /** Adds a delete marker, or, where versioning was never on, deletes. Returns the marker. */
  deleteLatest(bucket: Bucket, key: string): Version | undefined {
    const former = this.store.versionsOf(bucket.name, key).find(({ versionId }) => versionId === 'null');
    if (bucket.versioning === 'Unversioned') {
      if (former !== undefined) this.store.removeVersion(former);
      return undefined;
    }
    return this.store.addVersion({
      bucket: bucket.name,
      key,
      versionId: bucket.versioning === 'Enabled' ? newVersionId() : 'null',
      modifiedAt: this.#clock(),
      lock: UNLOCKED,
    });
  }

  /**
   * Deletes one version for ever.
   * @param mayBypass whether governance may be bypassed; asked only where it has to be
   * @throws AwsServiceError AccessDenied
   */
  deleteVersion(version: Version, mayBypass: () => boolean): void {
    if (needsBypass(version, this.#clock()) && !mayBypass()) {
      throw s3Error('AccessDenied', 'Access Denied because object protected by object lock.');
    }
    this.store.removeVersion(version);
  }

  close(): void {
    this.store.close();
  }
}

/** Asserts that S3 would store a policy: it speaks of this bucket alone, and of nobody at all where that is blocked. */
function assertPolicy({ name, publicAccessBlock }: Omit<Bucket, 'policy'>, text: string): void {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) throw malformedPolicy('Policy exceeds the maximum size');
  const policy = readPolicy(text);
  for (const { resources, actions, effect, principals, conditions } of policy.statements) {
    const isForeign = resources.entries.some(
      (resource) =>
        !new RegExp(`^arn:aws[a-z-]*:s3:::${name.replaceAll('.', '\\.')}(?:/.*)?$`, 's').test(resource),
    );
    if (isForeign) throw malformedPolicy('Policy has invalid resource');
    if (actions.entries.some((action) => action !== '*' && !action.toLowerCase().startsWith('s3:'))) {
      throw malformedPolicy('Policy has invalid action');
    }
    const isPublic =
      effect === 'Allow' &&
      (principals.negated || principals.entries.some(({ kind }) => kind === 'any')) &&
      !conditions.some(({ key }) => NARROWING.has(key.toLowerCase()));
    if (isPublic && publicAccessBlock?.BlockPublicPolicy === true) {
      throw s3Error(
        'AccessDenied',
        'public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
      );
    }
  }
}

/** Keys by which a policy for anybody is not public. Source: S3 User Guide, "The meaning of public". */
const NARROWING: ReadonlySet<string> = new Set([
  'aws:principalarn',
  'aws:principalaccount',
  'aws:principalorgid',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceip',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
]);

function readPolicy(text: string): ReturnType<typeof parseKeyPolicy> {
  try {
    return parseKeyPolicy(text);
  } catch (error) {
    if (error instanceof KeyPolicyError)
      throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'", error.message);
    throw error;
  }
}

function malformedPolicy(message: string, detail?: string): Error {
  return new DetailedS3Error('MalformedPolicy', message, detail === undefined ? {} : { Detail: detail });
}
