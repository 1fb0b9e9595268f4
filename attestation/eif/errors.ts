import { HoldfastError } from '../../shared/errors.ts';

/** Every code of {@link EifError}; docs/codes.md explains each of them. */
export type EifErrorCode =
  | 'EIF_CERTIFICATE'
  | 'EIF_CERTIFICATE_TIME'
  | 'EIF_CMDLINE'
  | 'EIF_CRC'
  | 'EIF_EMPTY_SECTION'
  | 'EIF_FLAGS'
  | 'EIF_GAP'
  /** The kernel is of a kind that an enclave of this architecture does not boot. */
  | 'EIF_KERNEL_KIND'
  | 'EIF_MAGIC'
  | 'EIF_METADATA'
  | 'EIF_MISSING_SECTION'
  | 'EIF_OVERLAP'
  | 'EIF_PAST_END'
  | 'EIF_PCR_MISMATCH'
  | 'EIF_PCR_UNEXPECTED'
  | 'EIF_RAMDISK_ALIGNMENT'
  /** The ramdisk is neither a cpio archive nor packed. */
  | 'EIF_RAMDISK_KIND'
  | 'EIF_RAMDISK_TRUNCATED'
  | 'EIF_READ'
  | 'EIF_REPEATED_SECTION'
  | 'EIF_RESERVED'
  | 'EIF_SECTION_COUNT'
  | 'EIF_SECTION_FLAGS'
  | 'EIF_SECTION_ORDER'
  | 'EIF_SECTION_TOO_LARGE'
  | 'EIF_SECTION_TYPE'
  | 'EIF_SIGNATURE_COUNT'
  | 'EIF_SIGNATURE_FORMAT'
  | 'EIF_SIGNATURE_INVALID'
  | 'EIF_SIGNATURE_PAYLOAD'
  | 'EIF_SIGNING_KEY'
  | 'EIF_SIGNING_KEY_OTHER'
  | 'EIF_SIZE_MISMATCH'
  | 'EIF_TABLE_UNUSED'
  | 'EIF_TRAILING_BYTES'
  | 'EIF_TRUNCATED'
  | 'EIF_VERSION';

/**
 * An image that is malformed, ambiguous or not the expected one. `details` name what applies: `section` (index in
 * the header's table), `offset` (bytes from the start of the file), `expected`, `actual`, `next` (what to do).
 */
export class EifError extends HoldfastError<EifErrorCode> {}
