import { crc32 } from 'node:zlib';

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
/** Made on Unix, so that the attributes below are a mode. */
const MADE_BY = (3 << 8) | VERSION;
const UTF8_NAMES = 1 << 11;
/** Stored as it is: what compresses gives other bytes in each version and on each processor. */
const STORED = 0;
/** 1980-01-01, 00:00: an archive says nothing of when it was made. */
const DATE = (1 << 5) | 1;
/** A plain file that everybody may read: Lambda runs as a user of its own. */
const ATTRIBUTES = (0o100644 << 16) >>> 0;

/**
 * Writes a ZIP archive: the same bytes for the same files.
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
 */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const nameBytes = Buffer.from(name);
    const shared = writeShared(content, nameBytes.length);
    const local = Buffer.concat([uint32(LOCAL_HEADER), shared, nameBytes, content]);
    centrals.push(
      Buffer.concat([
        uint32(CENTRAL_HEADER),
        uint16(MADE_BY),
        shared,
        // Comment, disk, internal attributes: none.
        Buffer.alloc(6),
        uint32(ATTRIBUTES),
        uint32(offset),
        nameBytes,
      ]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.concat([
    uint32(END),
    Buffer.alloc(4),
    uint16(entries.length),
    uint16(entries.length),
    uint32(directory.length),
    uint32(offset),
    uint16(0),
  ]);
  return new Uint8Array(Buffer.concat([...locals, directory, end]));
}

/** Fields that a file's own header and its header in the directory have in common, and the length of no extra field. */
function writeShared(content: Uint8Array, nameLength: number): Buffer {
  return Buffer.concat([
    uint16(VERSION),
    uint16(UTF8_NAMES),
    uint16(STORED),
    uint16(0),
    uint16(DATE),
    uint32(crc32(content)),
    uint32(content.length),
    uint32(content.length),
    uint16(nameLength),
    uint16(0),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
