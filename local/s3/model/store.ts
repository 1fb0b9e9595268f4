import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StateStore } from '../../aws/plumbing.ts';
import {
  type Bucket,
  bucketSchema,
  type Upload,
  uploadSchema,
  type Version,
  versionSchema,
} from './records.ts';

const BUCKET = 's3-bucket';
const VERSION = 's3-version';
const UPLOAD = 's3-upload';

/**
 * Buckets, versions and uploads of all accounts, kept in the state store, and the contents beside it as files. A content is
 * on the disk before a record names it, and is removed after no record does: a crash leaves files that nothing names, and
 * the next start removes them.
 */
export class S3Store {
  readonly #state: StateStore;
  readonly #data: string;
  readonly #ownsFolder: boolean;
  readonly #root: string;
  /** Folder of bodies that arrive, on the same file system. */
  readonly incoming: string;
  readonly #buckets = new Map<string, Bucket>();
  /** Versions by bucket and key, the latest first. */
  readonly #versions = new Map<string, Map<string, Version[]>>();
  readonly #uploads = new Map<string, Upload>();
  #sequence = 0;

  /** @param folder a folder of its own; a temporary one, removed at the end, when left out */
  constructor(state: StateStore, folder?: string) {
    this.#state = state;
    this.#ownsFolder = folder === undefined;
    this.#root = folder ?? mkdtempSync(join(tmpdir(), 'holdfast-s3-'));
    this.#data = join(this.#root, 'data');
    this.incoming = join(this.#root, 'incoming');
    rmSync(this.incoming, { recursive: true, force: true });
    for (const path of [this.#data, this.incoming]) mkdirSync(path, { recursive: true, mode: 0o700 });
    this.#load();
  }

  #load(): void {
    for (const { value } of this.#state.list(BUCKET)) {
      const bucket = bucketSchema.parse(value);
      this.#buckets.set(bucket.name, bucket);
    }
    const versions = this.#state.list(VERSION).map(({ value }) => versionSchema.parse(value));
    versions.sort((a, b) => b.sequence - a.sequence);
    for (const version of versions) this.#listOf(version).push(version);
    this.#sequence = versions[0]?.sequence ?? 0;
    for (const { value } of this.#state.list(UPLOAD)) {
      const upload = uploadSchema.parse(value);
      this.#uploads.set(upload.id, upload);
    }
    const named = new Set([
      ...versions.flatMap(({ content }) => (content === undefined ? [] : [content.file])),
      ...[...this.#uploads.values()].flatMap(({ parts }) => parts.map(({ file }) => file)),
    ]);
    for (const file of readdirSync(this.#data)) if (!named.has(file)) this.removeFile(file);
  }

  findBucket(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** Lists buckets by name. */
  buckets(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }

  saveBucket(bucket: Bucket): Bucket {
    this.#state.put(BUCKET, bucket.name, bucket);
    this.#buckets.set(bucket.name, bucket);
    return bucket;
  }

  /** Removes a bucket without content, and the uploads to it that are under way. */
  removeBucket(name: string): void {
    for (const upload of this.uploadsOf(name)) this.removeUpload(upload);
    this.#state.delete(BUCKET, name);
    this.#buckets.delete(name);
    this.#versions.delete(name);
  }

  /** Lists the keys of a bucket, each with its versions, the latest first, in the order of UTF-8 bytes. */
  keysOf(bucket: string): [string, readonly Version[]][] {
    return [...(this.#versions.get(bucket) ?? [])].sort(([a], [b]) => compareKeys(a, b));
  }

  versionsOf(bucket: string, key: string): readonly Version[] {
    return this.#versions.get(bucket)?.get(key) ?? [];
  }

  /** Adds a version as the latest; one of the same id is replaced, and its content removed. */
  addVersion(version: Omit<Version, 'sequence'>): Version {
    const added = { ...version, sequence: (this.#sequence += 1) };
    const list = this.#listOf(added);
    const replaced = list.findIndex(({ versionId }) => versionId === added.versionId);
    this.#state.put(VERSION, idOf(added), added);
    const [former] = replaced < 0 ? [] : list.splice(replaced, 1);
    list.unshift(added);
    if (former?.content !== undefined) this.removeFile(former.content.file);
    return added;
  }

  /** Replaces a version in its place. */
  changeVersion(version: Version): void {
    const list = this.#listOf(version);
    const index = list.findIndex(({ versionId }) => versionId === version.versionId);
    if (index < 0) throw new TypeError('expected a version that is there');
    this.#state.put(VERSION, idOf(version), version);
    list[index] = version;
  }

  removeVersion(version: Version): void {
    this.#state.delete(VERSION, idOf(version));
    const keys = this.#versions.get(version.bucket);
    const left = this.#listOf(version).filter(({ versionId }) => versionId !== version.versionId);
    if (left.length === 0) keys?.delete(version.key);
    else keys?.set(version.key, left);
    if (version.content !== undefined) this.removeFile(version.content.file);
  }

  findUpload(id: string): Upload | undefined {
    return this.#uploads.get(id);
  }

  uploadsOf(bucket: string): Upload[] {
    return [...this.#uploads.values()]
      .filter((upload) => upload.bucket === bucket)
      .sort((a, b) => compareKeys(a.key, b.key) || a.startedAt - b.startedAt);
  }

  saveUpload(upload: Upload): void {
    this.#state.put(UPLOAD, upload.id, upload);
    this.#uploads.set(upload.id, upload);
  }

  /** Removes an upload and its parts. */
  removeUpload(upload: Upload): void {
    this.#state.delete(UPLOAD, upload.id);
    this.#uploads.delete(upload.id);
    for (const { file } of upload.parts) this.removeFile(file);
  }

  /** Takes a file into the data; durable when fulfilled. Returns its name there. */
  async keepFile(path: string): Promise<string> {
    await sync(path);
    const name = randomUUID();
    renameSync(path, join(this.#data, name));
    await sync(this.#data);
    return name;
  }

  /** Gives the content of a file a second name, for a copy. */
  copyFile(file: string): string {
    const name = randomUUID();
    linkSync(this.pathOf(file), join(this.#data, name));
    return name;
  }

  pathOf(file: string): string {
    return join(this.#data, file);
  }

  removeFile(file: string): void {
    rmSync(this.pathOf(file), { force: true });
  }

  close(): void {
    if (this.#ownsFolder) rmSync(this.#root, { recursive: true, force: true });
  }

  #listOf({ bucket, key }: Version): Version[] {
    const keys = this.#versions.get(bucket) ?? new Map<string, Version[]>();
    this.#versions.set(bucket, keys);
    const list = keys.get(key) ?? [];
    keys.set(key, list);
    return list;
  }
}

/** Makes an id of a version as S3's look. */
export function newVersionId(): string {
  return randomBytes(24).toString('base64url');
}

/** Order of keys in listings: by their UTF-8 bytes. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function idOf({ bucket, key, versionId }: Version): string {
  return JSON.stringify([bucket, key, versionId]);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
