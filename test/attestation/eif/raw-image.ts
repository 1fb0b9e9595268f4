/**
 * Writes images field by field, wrong ones too. It shares no code with what it tests: node:zlib and node:crypto alone.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const KERNEL = 1;
export const CMDLINE = 2;
export const RAMDISK = 3;
export const SIGNATURE = 4;
export const METADATA = 5;

export interface RawSection {
  type: number;
  content: Uint8Array;
  flags?: number;
  /** Size in the section's own header; the content's when left out. */
  headerSize?: bigint;
}

export interface RawImage {
  magic?: string;
  version?: number;
  flags?: number;
  reserved?: number;
  unused?: number;
  count?: number;
  sections: RawSection[];
  /** Offsets and sizes in the header's table, by index; the true ones when left out. */
  offsets?: Record<number, bigint>;
  sizes?: Record<number, bigint>;
  /** Bytes before the section with this index. */
  gapBefore?: Record<number, Uint8Array>;
  trailing?: Uint8Array;
  crc?: number;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const sampleKernel = bytesOf('a kernel, or so it says');
export const sampleCmdline = bytesOf('console=ttyS0 reboot=t panic=30');
export const sampleBootstrap = bytesOf('bootstrap ramdisk');
export const sampleApplication = bytesOf('application ramdisk');
const sampleMetadata = bytesOf('{"ImageName":"sample"}');

/** Sections of an image of version 4: unsigned, two ramdisks. */
export function sampleSections(): RawSection[] {
  return [
    { type: KERNEL, content: sampleKernel },
    { type: CMDLINE, content: sampleCmdline },
    { type: METADATA, content: sampleMetadata },
    { type: RAMDISK, content: sampleBootstrap },
    { type: RAMDISK, content: sampleApplication },
  ];
}

export function writeImage(image: RawImage): Uint8Array {
  const header = Buffer.alloc(548);
  header.write(image.magic ?? '.eif', 0, 'latin1');
  header.writeUInt16BE(image.version ?? 4, 4);
  header.writeUInt16BE(image.flags ?? 0, 6);
  header.writeBigUInt64BE(1024n ** 3n, 8);
  header.writeBigUInt64BE(2n, 16);
  header.writeUInt16BE(image.reserved ?? 0, 24);
  header.writeUInt16BE(image.count ?? image.sections.length, 26);
  header.writeUInt32BE(image.unused ?? 0, 540);
  const body: Uint8Array[] = [];
  let offset = 548;
  for (const [index, { type, content, flags = 0, headerSize }] of image.sections.entries()) {
    const gap = image.gapBefore?.[index] ?? new Uint8Array();
    offset += gap.length;
    header.writeBigUInt64BE(BigInt(offset), 28 + 8 * index);
    header.writeBigUInt64BE(BigInt(content.length), 284 + 8 * index);
    const sectionHeader = Buffer.alloc(12);
    sectionHeader.writeUInt16BE(type, 0);
    sectionHeader.writeUInt16BE(flags, 2);
    sectionHeader.writeBigUInt64BE(headerSize ?? BigInt(content.length), 4);
    body.push(gap, sectionHeader, content);
    offset += 12 + content.length;
  }
  for (const [index, value] of Object.entries(image.offsets ?? {})) {
    header.writeBigUInt64BE(value, 28 + 8 * Number(index));
  }
  for (const [index, value] of Object.entries(image.sizes ?? {})) {
    header.writeBigUInt64BE(value, 284 + 8 * Number(index));
  }
  const rest = Buffer.concat([...body, image.trailing ?? new Uint8Array()]);
  header.writeUInt32BE(image.crc ?? crc32(rest, crc32(header.subarray(0, 544))), 544);
  return new Uint8Array(Buffer.concat([header, rest]));
}

/** Puts the right checksum into an image that was changed. */
export function fixCrc(image: Uint8Array): Uint8Array {
  const fixed = Buffer.from(image);
  fixed.writeUInt32BE(crc32(fixed.subarray(548), crc32(fixed.subarray(0, 544))), 544);
  return new Uint8Array(fixed);
}

/** Register of contents, in hex: computed here once more, from the specification. */
export function registerOf(...contents: Uint8Array[]): string {
  const content = createHash('sha384').update(Buffer.concat(contents)).digest();
  return createHash('sha384').update(Buffer.alloc(48)).update(content).digest('hex');
}

export function toHex(measurements: ReadonlyMap<number, Uint8Array>): Record<string, string> {
  return Object.fromEntries(
    [...measurements].map(([index, value]) => [`PCR${index}`, Buffer.from(value).toString('hex')]),
  );
}
