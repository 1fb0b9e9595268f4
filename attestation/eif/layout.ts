/**
 * Where everything lies in an image. The hypervisor follows the header's table; other readers walk the section
 * headers one after the other. Only a file that both read alike has a layout.
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

export interface EifSection {
  readonly kind: EifSectionKind;
  /** Of the section's header, from the start of the file. */
  readonly offset: number;
  /** Bytes of content, which starts 12 bytes after `offset`. */
  readonly size: number;
}

export interface EifLayout {
  readonly header: EifHeader;
  readonly sections: readonly EifSection[];
  /** The header and the section headers as they were read, so that no byte has to be read twice. */
  readonly headerBytes: Uint8Array;
  readonly sectionHeaderBytes: readonly Uint8Array[];
}

/**
 * Reads the header and every section header, and nothing else.
 * @throws EifError EIF_TRUNCATED, EIF_PAST_END, EIF_OVERLAP, EIF_GAP, EIF_SIZE_MISMATCH, EIF_TRAILING_BYTES, and
 *   those of the two headers and of the rules on sections
 */
export async function readLayout(source: EifSource): Promise<EifLayout> {
  if (source.size < HEADER_BYTES) {
    throw new EifError('EIF_TRUNCATED', 'the file ends within its header', {
      expected: HEADER_BYTES,
      actual: source.size,
    });
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
    throw new EifError('EIF_TRAILING_BYTES', 'bytes follow the last section', {
      offset: end,
      expected: end,
      actual: source.size,
    });
  }
  assertSections(header.version, sections);
  return { header, sections, headerBytes, sectionHeaderBytes };
}

/** `start` is where the section has to begin. */
async function readSection(source: EifSource, header: EifHeader, index: number, start: number) {
  const entry = header.table[index] ?? { offset: 0n, size: 0n };
  const end = entry.offset + BigInt(SECTION_HEADER_BYTES) + entry.size;
  // Compared as 64-bit numbers: only what lies within the file becomes a number of ours.
  if (end > BigInt(source.size)) {
    throw new EifError('EIF_PAST_END', 'a section ends after the file', {
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
      offset < start ? 'a section overlaps what comes before it' : 'bytes lie between two sections',
      { section: index, expected: start, actual: offset },
    );
  }
  const bytes = (await readExactly(source, offset, SECTION_HEADER_BYTES)).slice();
  const { kind, size } = parseSectionHeader(bytes, index, offset);
  if (size !== entry.size) {
    throw new EifError('EIF_SIZE_MISMATCH', 'the table and the section header disagree on the size', {
      section: index,
      offset,
      expected: entry.size,
      actual: size,
      ...(kind === 'signature' ? SIGNED_AGAIN : {}),
    });
  }
  return { section: { kind, offset, size: Number(size) }, bytes };
}

/**
 * What AWS's own tool leaves behind when it signs a signed image: the signature's section is written anew, and the table
 * keeps the size of the old one (aws-nitro-enclaves-image-format, `sign_image`).
 */
const SIGNED_AGAIN = {
  next: 'it may have been signed twice by nitro-cli, which leaves the size of the first signature in the table; build it anew, and sign it once',
};

/** For a section that cannot be read as the table has it: whether it is a signature. */
async function describeSignedAgain(source: EifSource, offset: bigint): Promise<Partial<typeof SIGNED_AGAIN>> {
  if (offset + BigInt(SECTION_HEADER_BYTES) > BigInt(source.size)) return {};
  const bytes = await readExactly(source, Number(offset), SECTION_HEADER_BYTES);
  return isSignatureHeader(bytes) ? SIGNED_AGAIN : {};
}
