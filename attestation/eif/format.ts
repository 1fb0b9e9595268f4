/**
 * The two headers of an Enclave Image File, versions 2 to 4, as bytes. All numbers are big-endian.
 * Format: the Enclave Image File specification of aws-nitro-enclaves-image-format.
 */
import { EifError } from './errors.ts';

/** Length of the header in bytes. */
export const HEADER_BYTES = 548;
/** Length of a section's header in bytes. */
export const SECTION_HEADER_BYTES = 12;
/** Maximum number of sections: the length of the header's table. */
export const MAX_SECTIONS = 32;
/** Offset of the header's last field, the CRC-32 over every other byte of the file. */
export const CRC_OFFSET = 544;
/** Version that builders write. */
export const NEWEST_VERSION = 4;

const OLDEST_VERSION = 2;
const MAGIC = 0x2e_65_69_66;
const OFFSETS_OFFSET = 28;
const SIZES_OFFSET = OFFSETS_OFFSET + 8 * MAX_SECTIONS;
const UNUSED_OFFSET = SIZES_OFFSET + 8 * MAX_SECTIONS;

const ARCHITECTURES = ['x86_64', 'aarch64'] as const;
/** Architecture of an image: bit 0 of the header's flags. */
export type EifArchitecture = (typeof ARCHITECTURES)[number];

const SECTION_KINDS = ['kernel', 'cmdline', 'ramdisk', 'signature', 'metadata'] as const;
/** Kind of a section: the section types 1 to 5, in this order. */
export type EifSectionKind = (typeof SECTION_KINDS)[number];

/** One entry of the header's table: where the section's header starts, and how long its content is. */
export interface TableEntry {
  readonly offset: bigint;
  readonly size: bigint;
}

/** The header of an image. */
export interface EifHeader {
  readonly version: number;
  readonly architecture: EifArchitecture;
  /** Default memory in bytes; builders write the value and no hypervisor uses it. */
  readonly defaultMemory: bigint;
  /** Default number of CPUs; builders write the value and no hypervisor uses it. */
  readonly defaultCpus: bigint;
  readonly table: readonly TableEntry[];
  readonly crc32: number;
}

/** The header of a section. */
export interface SectionHeader {
  readonly kind: EifSectionKind;
  /** Length of the content in bytes. */
  readonly size: bigint;
}

/**
 * Parses the header. `readLayout` compares the table's entries with the file.
 *
 * @throws EifError EIF_MAGIC, EIF_VERSION, EIF_FLAGS, EIF_RESERVED, EIF_SECTION_COUNT, EIF_TABLE_UNUSED
 */
export function parseHeader(bytes: Uint8Array): EifHeader {
  const view = viewOf(bytes, HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC) {
    throw new EifError('EIF_MAGIC', 'the file does not begin with .eif: expected an enclave image file', {
      offset: 0,
      actual: view.getUint32(0),
    });
  }
  const version = view.getUint16(4);
  if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
    throw new EifError(
      'EIF_VERSION',
      `the image format is of version ${version}: expected ${OLDEST_VERSION} to ${NEWEST_VERSION}`,
      {
        offset: 4,
        expected: `${OLDEST_VERSION} to ${NEWEST_VERSION}`,
        actual: version,
      },
    );
  }
  const architecture = ARCHITECTURES[view.getUint16(6)];
  if (architecture === undefined) {
    throw new EifError('EIF_FLAGS', 'the header sets a flag other than bit 0, the architecture', {
      offset: 6,
      actual: view.getUint16(6),
    });
  }
  for (const [offset, value] of [
    [24, view.getUint16(24)],
    [UNUSED_OFFSET, view.getUint32(UNUSED_OFFSET)],
  ] as const) {
    if (value !== 0) {
      throw new EifError('EIF_RESERVED', 'a reserved field of the header is not zero', {
        offset,
        expected: 0,
        actual: value,
      });
    }
  }
  return {
    version,
    architecture,
    defaultMemory: view.getBigUint64(8),
    defaultCpus: view.getBigUint64(16),
    table: parseTable(view),
    crc32: view.getUint32(CRC_OFFSET),
  };
}

function parseTable(view: DataView): TableEntry[] {
  const count = view.getUint16(26);
  if (count < 1 || count > MAX_SECTIONS) {
    throw new EifError(
      'EIF_SECTION_COUNT',
      `the header counts ${count} sections: expected 1 to ${MAX_SECTIONS}`,
      {
        offset: 26,
        expected: `1 to ${MAX_SECTIONS}`,
        actual: count,
      },
    );
  }
  const entries = Array.from({ length: MAX_SECTIONS }, (_, index) => ({
    offset: view.getBigUint64(OFFSETS_OFFSET + 8 * index),
    size: view.getBigUint64(SIZES_OFFSET + 8 * index),
  }));
  const stray = entries.findIndex(({ offset, size }, index) => index >= count && (offset | size) !== 0n);
  if (stray !== -1) {
    throw new EifError(
      'EIF_TABLE_UNUSED',
      `entry ${stray} of the table is not zero, and there are ${count} sections`,
      {
        section: stray,
      },
    );
  }
  return entries.slice(0, count);
}

/**
 * Parses the header of a section.
 *
 * @param section position in the header's table, for the refusal
 * @param offset of the bytes in the file, for the refusal
 * @throws EifError EIF_SECTION_TYPE, EIF_SECTION_FLAGS
 */
export function parseSectionHeader(bytes: Uint8Array, section: number, offset: number): SectionHeader {
  const view = viewOf(bytes, SECTION_HEADER_BYTES);
  const type = view.getUint16(0);
  const kind = SECTION_KINDS[type - 1];
  if (kind === undefined) {
    throw new EifError(
      'EIF_SECTION_TYPE',
      `section ${section} is of type ${type}: expected 1 to ${SECTION_KINDS.length}`,
      {
        section,
        offset,
        actual: type,
      },
    );
  }
  const flags = view.getUint16(2);
  if (flags !== 0) {
    throw new EifError('EIF_SECTION_FLAGS', `section ${section} sets flags: expected none`, {
      section,
      offset: offset + 2,
      expected: 0,
      actual: flags,
    });
  }
  return { kind, size: view.getBigUint64(4) };
}

/** Whether the header of a section, 12 bytes, is that of a signature. */
export function isSignatureHeader(bytes: Uint8Array): boolean {
  return SECTION_KINDS[viewOf(bytes, SECTION_HEADER_BYTES).getUint16(0) - 1] === 'signature';
}

/** Encodes the header: 548 bytes. */
export function encodeHeader(header: EifHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes, HEADER_BYTES);
  view.setUint32(0, MAGIC);
  view.setUint16(4, header.version);
  view.setUint16(6, ARCHITECTURES.indexOf(header.architecture));
  view.setBigUint64(8, header.defaultMemory);
  view.setBigUint64(16, header.defaultCpus);
  view.setUint16(26, header.table.length);
  for (const [index, { offset, size }] of header.table.entries()) {
    view.setBigUint64(OFFSETS_OFFSET + 8 * index, offset);
    view.setBigUint64(SIZES_OFFSET + 8 * index, size);
  }
  view.setUint32(CRC_OFFSET, header.crc32);
  return bytes;
}

/** Encodes a section's header: 12 bytes. */
export function encodeSectionHeader({ kind, size }: SectionHeader): Uint8Array {
  const bytes = new Uint8Array(SECTION_HEADER_BYTES);
  const view = viewOf(bytes, SECTION_HEADER_BYTES);
  view.setUint16(0, SECTION_KINDS.indexOf(kind) + 1);
  view.setBigUint64(4, size);
  return bytes;
}

function viewOf(bytes: Uint8Array, length: number): DataView {
  if (bytes.length !== length) throw new RangeError(`expected ${length} bytes, not ${bytes.length}`);
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}
