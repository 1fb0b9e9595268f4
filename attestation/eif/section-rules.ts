import { EifError } from './errors.ts';
import type { EifSectionKind } from './format.ts';

/** Longest command line that a kernel takes without cutting it off, in bytes (COMMAND_LINE_SIZE less its NUL). */
const MAX_CMDLINE_BYTES = 2047;
/** The format's own limit for the signature section. */
export const MAX_SIGNATURE_BYTES = 32_768;
/** Ours: metadata is not measured, so it is read into memory on nobody's word. */
export const MAX_METADATA_BYTES = 1024 * 1024;

const MAX_BYTES: Partial<Record<EifSectionKind, number>> = {
  cmdline: MAX_CMDLINE_BYTES,
  signature: MAX_SIGNATURE_BYTES,
  metadata: MAX_METADATA_BYTES,
};

/** The version that brought a kind of section. */
const SINCE: Partial<Record<EifSectionKind, number>> = { signature: 3, metadata: 4 };

interface Section {
  readonly kind: EifSectionKind;
  readonly size: number;
}

/**
 * Which sections an image of this version has, how often, in which order and of what size.
 * @throws EifError EIF_SECTION_TYPE, EIF_REPEATED_SECTION, EIF_MISSING_SECTION, EIF_SECTION_ORDER,
 *   EIF_EMPTY_SECTION, EIF_SECTION_TOO_LARGE
 */
export function assertSections(version: number, sections: readonly Section[]): void {
  const seen = new Set<EifSectionKind>();
  for (const [index, { kind, size }] of sections.entries()) {
    if (version < (SINCE[kind] ?? 0)) {
      throw new EifError('EIF_SECTION_TYPE', `version ${version} has no ${kind} section`, { section: index });
    }
    if (kind !== 'ramdisk' && seen.has(kind)) {
      throw new EifError('EIF_REPEATED_SECTION', `there is more than one ${kind} section`, {
        section: index,
      });
    }
    if (kind === 'ramdisk' && !seen.has('kernel')) {
      throw new EifError('EIF_SECTION_ORDER', 'a ramdisk comes before the kernel', { section: index });
    }
    assertSize(index, kind, size);
    seen.add(kind);
  }
  for (const kind of ['kernel', 'cmdline', 'ramdisk', 'metadata'] as const) {
    if (!seen.has(kind) && version >= (SINCE[kind] ?? 0)) {
      throw new EifError('EIF_MISSING_SECTION', `there is no ${kind} section`, { expected: kind });
    }
  }
}

function assertSize(section: number, kind: EifSectionKind, size: number): void {
  // An empty first ramdisk would shift what counts as bootstrap; an empty kernel or metadata means nothing.
  if (size === 0 && kind !== 'cmdline') {
    throw new EifError('EIF_EMPTY_SECTION', `the ${kind} section is empty`, { section });
  }
  const maximum = MAX_BYTES[kind] ?? Number.POSITIVE_INFINITY;
  if (size > maximum) {
    throw new EifError('EIF_SECTION_TOO_LARGE', `the ${kind} section is too large`, {
      section,
      expected: maximum,
      actual: size,
    });
  }
}
