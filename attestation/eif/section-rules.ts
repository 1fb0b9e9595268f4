import { EifError } from './errors.ts';
import type { EifSectionKind } from './format.ts';

/** Maximum length in bytes of a command line that a kernel does not cut off: Linux, COMMAND_LINE_SIZE less its NUL. */
const MAX_CMDLINE_BYTES = 2047;
/** Maximum length of the signature section in bytes: the format's own limit. */
export const MAX_SIGNATURE_BYTES = 32_768;
/** Maximum length of the metadata section in bytes. The format has no limit, and unmeasured bytes are read into memory. */
export const MAX_METADATA_BYTES = 1024 * 1024;

const MAX_BYTES: Partial<Record<EifSectionKind, number>> = {
  cmdline: MAX_CMDLINE_BYTES,
  signature: MAX_SIGNATURE_BYTES,
  metadata: MAX_METADATA_BYTES,
};

/** First version of the format that has a kind of section. */
const SINCE: Partial<Record<EifSectionKind, number>> = { signature: 3, metadata: 4 };

interface Section {
  readonly kind: EifSectionKind;
  readonly size: number;
}

/**
 * Checks the sections of an image: which of them a version has, how often, in which order and of what size.
 *
 * @throws EifError EIF_SECTION_TYPE, EIF_REPEATED_SECTION, EIF_MISSING_SECTION, EIF_SECTION_ORDER,
 *   EIF_EMPTY_SECTION, EIF_SECTION_TOO_LARGE
 */
export function assertSections(version: number, sections: readonly Section[]): void {
  const seen = new Set<EifSectionKind>();
  for (const [index, { kind, size }] of sections.entries()) {
    if (version < (SINCE[kind] ?? 0)) {
      throw new EifError(
        'EIF_SECTION_TYPE',
        `the image has a ${kind} section, which version ${version} does not have`,
        {
          section: index,
        },
      );
    }
    if (kind !== 'ramdisk' && seen.has(kind)) {
      throw new EifError('EIF_REPEATED_SECTION', `the image has a second ${kind} section: expected one`, {
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
      throw new EifError('EIF_MISSING_SECTION', `the image has no ${kind} section: expected one`, {
        expected: kind,
      });
    }
  }
}

function assertSize(section: number, kind: EifSectionKind, size: number): void {
  // An empty first ramdisk would move the application's first ramdisk into PCR1; other empty sections have no meaning.
  if (size === 0 && kind !== 'cmdline') {
    throw new EifError('EIF_EMPTY_SECTION', `the ${kind} section is empty`, { section });
  }
  const maximum = MAX_BYTES[kind] ?? Number.POSITIVE_INFINITY;
  if (size > maximum) {
    throw new EifError(
      'EIF_SECTION_TOO_LARGE',
      `the ${kind} section has ${size} bytes: expected at most ${maximum}`,
      {
        section,
        expected: maximum,
        actual: size,
      },
    );
  }
}
