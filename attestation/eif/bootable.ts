/**
 * Checks whether an image can boot. The hypervisor starts any image: with a kernel of the wrong kind, or an initramfs that
 * the kernel cannot unpack, the enclave hangs without output and without an error.
 */
import { EifError } from './errors.ts';
import type { EifArchitecture } from './format.ts';
import { describeKernel, type EifKernel, KERNEL_HEAD_BYTES } from './kernel.ts';
import { type EifSource, readExactly } from './source.ts';

/**
 * Format of a ramdisk by its magic: `cpio` is a plain archive, `packed` any compression that Linux unpacks, `padded` begins
 * with zeros, which Linux skips, and `unknown` is anything else.
 */
export type RamdiskFormat = 'cpio' | 'packed' | 'padded' | 'unknown';

/** Length in bytes of the head of a ramdisk that decides its format. */
export const RAMDISK_HEAD_BYTES = 8;

/** First bytes of the compressions that Linux unpacks: lib/decompress.c and usr/Kconfig. */
const PACKED_MAGICS: readonly (readonly number[])[] = [
  [0x1f, 0x8b], // gzip
  [0x1f, 0x9e], // gzip of old
  [0x42, 0x5a], // bzip2
  [0x5d, 0x00], // lzma
  [0xfd, 0x37], // xz
  [0x89, 0x4c], // lzo
  [0x02, 0x21], // lz4
  [0x28, 0xb5], // zstd
];
/** Magic of a cpio archive: `070701` or, with checksums, `070702` (Linux, early-userspace/buffer-format). */
const CPIO_MAGIC = /^07070[12]/;

/**
 * Determines the format of a ramdisk.
 *
 * @param head the first {@link RAMDISK_HEAD_BYTES} bytes, or all of a shorter ramdisk
 */
export function describeRamdisk(head: Uint8Array): RamdiskFormat {
  if (head[0] === 0) return 'padded';
  if (CPIO_MAGIC.test(new TextDecoder('latin1').decode(head))) return 'cpio';
  const isPacked = PACKED_MAGICS.some((magic) => magic.every((byte, index) => head[index] === byte));
  return isPacked ? 'packed' : 'unknown';
}

const KERNEL_OF: Readonly<Record<EifArchitecture, EifKernel['format']>> = {
  x86_64: 'bzImage',
  aarch64: 'Image',
};

/** Finds what keeps an image from booting: one English sentence a fault, none when no fault is seen. */
export function findBootFaults(
  { format }: EifKernel,
  architecture: EifArchitecture,
  ramdisks: readonly RamdiskFormat[],
): readonly string[] {
  const wanted = KERNEL_OF[architecture];
  const found = format === 'unknown' ? 'of no kind that is known' : `of the kind ${format}`;
  const kernel =
    format === wanted
      ? []
      : [
          `the kernel is ${found}: expected ${wanted}, the only kind that an enclave of ${architecture} boots`,
        ];
  const unknown = ramdisks.flatMap((ramdisk, index) =>
    ramdisk === 'unknown' ? [`ramdisk ${index} is neither a cpio archive nor packed`] : [],
  );
  return [...kernel, ...unknown];
}

/** The parts of an image that decide whether it boots. */
export interface BootParts {
  readonly kernel: EifSource;
  readonly ramdisks: readonly EifSource[];
  readonly architecture: EifArchitecture;
}

/**
 * Checks before a build that an enclave can boot the parts: the kind of the kernel, and the format of each ramdisk. Empty
 * parts pass, since the build refuses them.
 *
 * @throws EifError EIF_KERNEL_KIND, EIF_RAMDISK_KIND, EIF_RAMDISK_TRUNCATED for a plain archive that ends within a file,
 * EIF_READ for a source that changes while it is read
 *
 * Source: Linux, x86/boot, arm64/booting and early-userspace/buffer-format.
 */
export async function assertBootable({ kernel, ramdisks, architecture }: BootParts): Promise<void> {
  // The build refuses an empty part with a code of its own.
  if ([kernel, ...ramdisks].some(({ size }) => size === 0)) return;
  const described = describeKernel(await readHead(kernel, KERNEL_HEAD_BYTES), kernel.size);
  const [fault] = findBootFaults(described, architecture, []);
  if (fault !== undefined) {
    throw new EifError('EIF_KERNEL_KIND', fault, {
      expected: KERNEL_OF[architecture],
      actual: described.format,
    });
  }
  for (const [index, ramdisk] of ramdisks.entries()) {
    const format = describeRamdisk(await readHead(ramdisk, RAMDISK_HEAD_BYTES));
    if (format === 'unknown') {
      throw new EifError('EIF_RAMDISK_KIND', `ramdisk ${index} is of no format that the kernel can unpack`, {
        ramdisk: index,
        expected: 'a cpio archive (newc), or one packed by gzip, bzip2, lzma, xz, lzo, lz4 or zstd',
      });
    }
    if (format === 'cpio') await assertWholeArchive(ramdisk, index);
  }
}

async function readHead(source: EifSource, length: number): Promise<Uint8Array> {
  return (await readExactly(source, 0, Math.min(length, source.size))).slice();
}

const CPIO_HEADER_BYTES = 110;
const TRAILER = 'TRAILER!!!';
const MAX_NAME_BYTES = 4_096;

/** Follows a plain archive from entry to entry up to its trailer, after which any other archive may follow. */
async function assertWholeArchive(source: EifSource, ramdisk: number): Promise<void> {
  let offset = 0;
  for (;;) {
    const header = await readText(source, offset, CPIO_HEADER_BYTES);
    const [fileBytes, nameBytes] = [54, 94].map((at) => Number.parseInt(header.slice(at, at + 8), 16));
    if (!CPIO_MAGIC.test(header) || fileBytes === undefined || !(fileBytes >= 0) || !nameBytes) break;
    const contentAt = align(offset + CPIO_HEADER_BYTES + nameBytes);
    if (nameBytes > MAX_NAME_BYTES || contentAt + fileBytes > align(source.size)) break;
    if ((await readText(source, offset + CPIO_HEADER_BYTES, TRAILER.length)) === TRAILER) return;
    offset = align(contentAt + fileBytes);
  }
  throw new EifError(
    'EIF_RAMDISK_TRUNCATED',
    `the cpio archive of ramdisk ${ramdisk} ends before its trailer`,
    {
      ramdisk,
      offset,
      expected: TRAILER,
    },
  );
}

async function readText(source: EifSource, offset: number, length: number): Promise<string> {
  const within = Math.max(0, Math.min(length, source.size - offset));
  return new TextDecoder('latin1').decode(
    within === 0 ? new Uint8Array() : await readExactly(source, offset, within),
  );
}

function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
