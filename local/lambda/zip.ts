import { crc32, inflateRawSync } from 'node:zlib';
import { lambdaError } from './errors.ts';

/** File of an archive. */
export interface ZipFile {
  /** Path with slashes, below the archive's root. */
  readonly path: string;
  readonly content: Uint8Array;
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const MAX_FILES = 2000;
/** Largest content of all files together, unpacked, as with Lambda. */
const MAX_CONTENT_BYTES = 250 * 1024 * 1024;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

/**
 * Reads a ZIP archive by its directory: files stored or deflated, without encryption or ZIP64.
 * Source: PKWARE APPNOTE.TXT 6.3.10.
 * @throws AwsServiceError InvalidParameterValueException
 */
export function readZip(bytes: Uint8Array): ZipFile[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = findEnd(buffer);
  const count = buffer.readUInt16LE(end + 10);
  let at = buffer.readUInt32LE(end + 16);
  if (count > MAX_FILES) throw unreadable();
  const files: ZipFile[] = [];
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > end || buffer.readUInt32LE(at) !== CENTRAL_HEADER) throw unreadable();
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      buffer.readUInt16LE(at + offset),
    ) as [number, number, number];
    const path = buffer.toString('utf8', at + 46, at + 46 + nameLength);
    const size = buffer.readUInt32LE(at + 24);
    total += size;
    if (total > MAX_CONTENT_BYTES || !isSafe(path)) throw unreadable();
    if (!path.endsWith('/')) files.push({ path, content: readContent(buffer, at, size) });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

function findEnd(buffer: Buffer): number {
  const first = Math.max(0, buffer.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = buffer.length - END_BYTES; at >= first; at -= 1) {
    if (buffer.readUInt32LE(at) === END) return at;
  }
  throw unreadable();
}

function readContent(buffer: Buffer, central: number, size: number): Uint8Array {
  const flags = buffer.readUInt16LE(central + 8);
  const method = buffer.readUInt16LE(central + 10);
  const sum = buffer.readUInt32LE(central + 16);
  const packed = buffer.readUInt32LE(central + 20);
  const local = buffer.readUInt32LE(central + 42);
  if (flags & ENCRYPTED || local + 30 > buffer.length || buffer.readUInt32LE(local) !== LOCAL_HEADER) {
    throw unreadable();
  }
  const start = local + 30 + buffer.readUInt16LE(local + 26) + buffer.readUInt16LE(local + 28);
  const raw = buffer.subarray(start, start + packed);
  if (raw.length !== packed) throw unreadable();
  const content = unpack(raw, method, size);
  if (content.length !== size || crc32(content) !== sum) throw unreadable();
  return content;
}

function unpack(raw: Buffer, method: number, size: number): Uint8Array {
  if (method === STORED) return raw;
  if (method !== DEFLATED) throw unreadable();
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw unreadable();
  }
}

function isSafe(path: string): boolean {
  return path !== '' && !/[\\\0]|^\//.test(path) && !path.split('/').includes('..');
}

function unreadable(): Error {
  return lambdaError(
    'InvalidParameterValueException',
    'Could not unzip uploaded file. Please check your file, then try to upload again.',
  );
}
