/**
 * The layout of an image: where each section lies. The hypervisor follows the header's table; other readers walk the
 * section headers one after the other. A file that the two read differently is refused.
 */
import { EifError } from './errors.ts';
import {
  type EifHeader,
  type EifSectionKind,
  HEADER_BYTES,
  isSignatureHeader,
  parseHeader,
  parseSectionHeader,
  SECTION_HEADER_BYTES,
} from './format.ts';
import { assertSections } from './section-rules.ts';
import { type EifSource, readExactly } from './source.ts';

/** One section of an image. */
export interface EifSection {
  readonly kind: EifSectionKind;
  /** Offset of the section's header from the start of the file, in bytes. */
  readonly offset: number;
  /** Length of the content in bytes; the content starts 12 bytes after `offset`. */
  readonly size: number;
}

/** Header and sections of an image. */
export interface EifLayout {
  readonly header: EifHeader;
  readonly sections: readonly EifSection[];
  /** Bytes of the header and of the section headers, kept so that no byte is read twice. */
  readonly headerBytes: Uint8Array;
  readonly sectionHeaderBytes: readonly Uint8Array[];
}

/**
 * Reads the header and every section header, without the sections' content.
 *
 * @throws EifError EIF_TRUNCATED, EIF_PAST_END, EIF_OVERLAP, EIF_GAP, EIF_SIZE_MISMATCH, EIF_TRAILING_BYTES, EIF_READ, and
 * the codes of `parseHeader`, `parseSectionHeader` and `assertSections`
 */
export async function readLayout(source: EifSource): Promise<EifLayout> {
  if (source.size < HEADER_BYTES) {
    throw new EifError(
      'EIF_TRUNCATED',
      `the file has ${source.size} bytes: expected a header of ${HEADER_BYTES}`,
      {
        expected: HEADER_BYTES,
        actual: source.size,
      },
    );
  }
  const headerBytes = (await readExactly(source, 0, HEADER_BYTES)).slice();
  const header = parseHeader(headerBytes);
  const sections: EifSection[] = [];
  const sectionHeaderBytes: Uint8Array[] = [];
  let end = HEADER_BYTES;
  for (const index of header.table.keys()) {
    const { section, bytes } = await readSection(source, header, index, end);
    sections.push(section);
    sectionHeaderBytes.push(bytes);
    end = section.offset + SECTION_HEADER_BYTES + section.size;
  }
  if (end !== source.size) {
    throw new EifError('EIF_TRAILING_BYTES', `${source.size - end} bytes follow the last section`, {
      offset: end,
      expected: end,
      actual: source.size,
    });
  }
  assertSections(header.version, sections);
  return { header, sections, headerBytes, sectionHeaderBytes };
}

/** Reads the header of one section, which has to begin at `start`. */
async function readSection(source: EifSource, header: EifHeader, index: number, start: number) {
  const entry = header.table[index] ?? { offset: 0n, size: 0n };
  const end = entry.offset + BigInt(SECTION_HEADER_BYTES) + entry.size;
  // Compared as 64-bit integers: an offset within the file is safe to convert to a number.
  if (end > BigInt(source.size)) {
    throw new EifError('EIF_PAST_END', `section ${index} ends after the end of the file`, {
      section: index,
      offset: entry.offset,
      expected: source.size,
      actual: end,
      ...(await describeSignedAgain(source, entry.offset)),
    });
  }
  const offset = Number(entry.offset);
  if (offset !== start) {
    throw new EifError(
      offset < start ? 'EIF_OVERLAP' : 'EIF_GAP',
      offset < start
        ? `section ${index} overlaps the bytes before it`
        : `bytes of no section lie before section ${index}`,
      { section: index, expected: start, actual: offset },
    );
  }
  const bytes = (await readExactly(source, offset, SECTION_HEADER_BYTES)).slice();
  const { kind, size } = parseSectionHeader(bytes, index, offset);
  if (size !== entry.size) {
    throw new EifError(
      'EIF_SIZE_MISMATCH',
      `the table and the header of section ${index} name different sizes`,
      {
        section: index,
        offset,
        expected: entry.size,
        actual: size,
        ...(kind === 'signature' ? SIGNED_AGAIN : {}),
      },
    );
  }
  return { section: { kind, offset, size: Number(size) }, bytes };
}

/**
 * Advice for the image that AWS's tool leaves behind when it signs a signed image: it writes the signature section anew,
 * and the table keeps the size of the old one (aws-nitro-enclaves-image-format, `sign_image`).
 */
const SIGNED_AGAIN = {
  next: 'it may have been signed twice by nitro-cli, which leaves the size of the first signature in the table; build it anew, and sign it once',
};

/** Returns {@link SIGNED_AGAIN} for a section that is a signature, and nothing for another. */
async function describeSignedAgain(source: EifSource, offset: bigint): Promise<Partial<typeof SIGNED_AGAIN>> {
  if (offset + BigInt(SECTION_HEADER_BYTES) > BigInt(source.size)) return {};
  const bytes = await readExactly(source, Number(offset), SECTION_HEADER_BYTES);
  return isSignatureHeader(bytes) ? SIGNED_AGAIN : {};
}
