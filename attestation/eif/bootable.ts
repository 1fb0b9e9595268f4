/**
 * Whether an image can boot at all. The hypervisor starts whatever an image holds: with another kind of kernel than it
 * loads, or with an initramfs that the kernel cannot unpack, the enclave never says a word, and nothing tells why.
 */
import { EifError } from './errors.ts';
import type { EifArchitecture } from './format.ts';
import { describeKernel, type EifKernel, KERNEL_HEAD_BYTES } from './kernel.ts';
import { type EifSource, readExactly } from './source.ts';

/**
 * By its magic; `packed` is any compression that Linux unpacks, `padded` begins with zeros, which it skips, and `unknown`
 * is anything else.
 */
export type RamdiskFormat = 'cpio' | 'packed' | 'padded' | 'unknown';

/** How much of a ramdisk has to be seen, in bytes. */
export const RAMDISK_HEAD_BYTES = 8;

/** Linux, lib/decompress.c, and usr/Kconfig for what they are. */
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
/** `070701` and, with checksums, `070702`: Linux, early-userspace/buffer-format. */
const CPIO_MAGIC = /^07070[12]/;

/** @param head the first bytes, {@link RAMDISK_HEAD_BYTES} or all */
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

/** What keeps an image from booting, in words; empty where nothing is seen. */
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
      : [`the kernel is ${found}, and an enclave of ${architecture} boots one of the kind ${wanted} alone`];
  const unknown = ramdisks.flatMap((ramdisk, index) =>
    ramdisk === 'unknown' ? [`ramdisk ${index} is neither a cpio archive nor packed`] : [],
  );
  return [...kernel, ...unknown];
}

export interface BootParts {
  readonly kernel: EifSource;
  readonly ramdisks: readonly EifSource[];
  readonly architecture: EifArchitecture;
}

/**
 * Looks at the parts of an image before it is built.
 * @throws EifError EIF_KERNEL_KIND, EIF_RAMDISK_KIND, EIF_RAMDISK_TRUNCATED for a plain archive that ends within a file
 */
export async function assertBootable({ kernel, ramdisks, architecture }: BootParts): Promise<void> {
  // What is empty is refused as such when it is built.
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
      throw new EifError('EIF_RAMDISK_KIND', 'a ramdisk that the kernel cannot unpack', {
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

/** Follows a plain archive from entry to entry up to its trailer; what comes after it may be another one, or packed. */
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
  throw new EifError('EIF_RAMDISK_TRUNCATED', 'a cpio archive that ends before its trailer', {
    ramdisk,
    offset,
    expected: TRAILER,
  });
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
