import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { s3Error } from '../errors.ts';
import type { Checksum } from './records.ts';

export type ChecksumAlgorithm = Checksum['algorithm'];

/** Checksums that clients may send, by the end of the field's name. */
const ALGORITHMS: ReadonlyMap<string, ChecksumAlgorithm> = new Map([
  ['crc32', 'CRC32'],
  ['crc32c', 'CRC32C'],
  ['crc64nvme', 'CRC64NVME'],
  ['sha1', 'SHA1'],
  ['sha256', 'SHA256'],
]);

interface Digester {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** Checksum that a client announced, in base64. */
export interface AnnouncedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

/** Reads the name of an algorithm, in any case. @throws AwsServiceError InvalidRequest */
export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = ALGORITHMS.get(name.toLowerCase());
  if (algorithm === undefined) throw s3Error('InvalidRequest', 'Checksum algorithm provided is unsupported.');
  return algorithm;
}

/** Checksum among the fields of a head or a trailer; at most one. @throws AwsServiceError InvalidRequest */
export function findChecksum(fields: ReadonlyMap<string, string>): AnnouncedChecksum | undefined {
  const found = [...ALGORITHMS].flatMap(([suffix, algorithm]) => {
    const value = fields.get(`x-amz-checksum-${suffix}`);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (found.length > 1) {
    throw s3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  return found[0];
}

/** Digests of the content of a file. */
export interface FileDigests {
  readonly size: number;
  /** In hex. */
  readonly md5: string;
  /** In base64. */
  readonly checksum: string;
}

/** Reads a file once, for its MD5 and a checksum. Without a path the content is empty. */
export async function digestFile(
  path: string | undefined,
  algorithm: ChecksumAlgorithm,
): Promise<FileDigests> {
  const md5 = createHash('md5');
  const digester = digesterOf(algorithm);
  let size = 0;
  if (path !== undefined) {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      md5.update(piece);
      digester.update(piece);
      size += piece.length;
    }
  }
  return { size, md5: md5.digest('hex'), checksum: digester.digest().toString('base64') };
}

/** Checksum of a few bytes, in base64. */
export function digestBytes(bytes: Uint8Array, algorithm: ChecksumAlgorithm): string {
  const digester = digesterOf(algorithm);
  digester.update(bytes);
  return digester.digest().toString('base64');
}

function digesterOf(algorithm: ChecksumAlgorithm): Digester {
  switch (algorithm) {
    case 'CRC32':
      return crc32Digester();
    case 'CRC32C':
      return crc32cDigester();
    case 'CRC64NVME':
      return crc64Digester();
    case 'SHA1':
    case 'SHA256':
    default:
      return hashDigester(algorithm.toLowerCase());
  }
}

function hashDigester(name: string): Digester {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

function crc32Digester(): Digester {
  let state = 0;
  return {
    update(bytes) {
      state = crc32(bytes, state);
    },
    digest: () => writeWords([state]),
  };
}

/** Castagnoli's polynomial, reflected. */
const CRC32C = makeTable32(0x82f63b78);

function crc32cDigester(): Digester {
  let state = 0xffffffff;
  return {
    update(bytes) {
      for (const byte of bytes) state = (CRC32C[(state ^ byte) & 0xff] ?? 0) ^ (state >>> 8);
    },
    digest: () => writeWords([~state >>> 0]),
  };
}

function makeTable32(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value >>> 0;
  });
}

/** Polynomial of CRC-64/NVME, reflected; each entry as its upper and lower 32 bits. */
const CRC64_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const CRC64 = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ CRC64_POLYNOMIAL : value >> 1n;
  return value;
});
const CRC64_HIGH = Uint32Array.from(CRC64, (value) => Number(value >> 32n));
const CRC64_LOW = Uint32Array.from(CRC64, (value) => Number(value & 0xffffffffn));

function crc64Digester(): Digester {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(bytes) {
      for (const byte of bytes) {
        const index = (low ^ byte) & 0xff;
        low = (CRC64_LOW[index] ?? 0) ^ ((low >>> 8) | (high << 24));
        high = (CRC64_HIGH[index] ?? 0) ^ (high >>> 8);
      }
    },
    digest: () => writeWords([~high >>> 0, ~low >>> 0]),
  };
}

function writeWords(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => bytes.writeUInt32BE(word >>> 0, index * 4));
  return bytes;
}
