import type { CodeArea } from './area.ts';

export const EIF_CODES: readonly CodeArea[] = [
  {
    title: 'Enclave images',
    who: '`eif describe`, `eif verify`, `eif build`',
    next: 'Build the image anew, or get it again from whoever built it; do not start this one.',
    codes: {
      EIF_CERTIFICATE:
        'the signing certificate is not one PEM block of a key on P-256, P-384 or P-521 for signatures',
      EIF_CERTIFICATE_TIME: [
        'the signing certificate is not valid at the time asked for',
        'Have the certificate renewed and sign the image again.',
      ],
      EIF_CMDLINE: 'the command line holds a byte that is not printable ASCII, tab or line feed',
      EIF_CRC: 'the checksum does not fit: the file is damaged',
      EIF_EMPTY_SECTION: 'a section without content',
      EIF_FLAGS: 'bits in the header that nobody defined',
      EIF_GAP: 'bytes that no section covers',
      EIF_KERNEL_KIND: [
        'the kernel is not of the kind that an enclave of this architecture boots: it would start, and never say a word',
        'Give a bzImage for x86_64, an Image for aarch64: neither a vmlinux nor the other architecture boots.',
      ],
      EIF_MAGIC: 'not an enclave image',
      EIF_METADATA: 'the metadata is not one JSON object that all read alike',
      EIF_MISSING_SECTION: 'no kernel, no command line, no ramdisk or no metadata where one is needed',
      EIF_OVERLAP: 'sections that overlap',
      EIF_PAST_END: 'a section that ends after the file',
      EIF_PCR_MISMATCH: [
        'the image measures to another value than pcr.json says',
        'It is another image than the one that pcr.json is of: find out which of the two is meant.',
      ],
      EIF_PCR_UNEXPECTED: [
        'the image is signed, and pcr.json names no PCR8',
        'Have the pcr.json of the signed image, or take the image without a signature.',
      ],
      EIF_RAMDISK_ALIGNMENT: [
        'ramdisks that the kernel would not find one after the other',
        'Give each ramdisk but the last a length that docs/eif.md allows.',
      ],
      EIF_RAMDISK_KIND: [
        'a ramdisk is neither a cpio archive (newc) nor packed as Linux unpacks it: the enclave would never boot',
        'Give a cpio archive, plain or packed.',
      ],
      EIF_RAMDISK_TRUNCATED: ['a ramdisk ends within a file', 'Write the cpio archive again, to its end.'],
      EIF_READ: ['the file changed while it was read', 'Read it again when nobody writes to it.'],
      EIF_REPEATED_SECTION: 'two kernels, command lines, signatures or metadata',
      EIF_RESERVED: 'reserved bytes that are not zero',
      EIF_SECTION_COUNT: 'no section, or more than 32',
      EIF_SECTION_FLAGS: 'flags of a section that nobody defined',
      EIF_SECTION_ORDER: 'a ramdisk before the kernel',
      EIF_SECTION_TOO_LARGE: 'a command line, signature or metadata longer than any has',
      EIF_SECTION_TYPE: 'a section of a type that this version of the format does not have',
      EIF_SIGNATURE_COUNT: 'no signature in its section, or several: the hypervisor verifies the first alone',
      EIF_SIGNATURE_FORMAT: 'the signature section is not the CBOR that AWS writes',
      EIF_SIGNATURE_INVALID: 'the signature is not of the key of its certificate',
      EIF_SIGNATURE_PAYLOAD: 'something else than PCR0 of this image was signed',
      EIF_SIGNING_KEY: [
        'the key is not one for signatures on P-256, P-384 or P-521',
        'Give a key on one of these curves.',
      ],
      EIF_SIGNING_KEY_OTHER: [
        "the key is not the certificate's",
        'Give the key that the certificate was issued for.',
      ],
      EIF_SIZE_MISMATCH:
        'the table of the header and the header of a section disagree about its size; images that were signed a second time by other tools are like that',
      EIF_TABLE_UNUSED: 'entries of the table after the last section that are not zero',
      EIF_TRAILING_BYTES: 'bytes after the last section',
      EIF_TRUNCATED: 'shorter than the header',
      EIF_VERSION: 'a version of the format other than 2, 3 and 4',
    },
  },
];
