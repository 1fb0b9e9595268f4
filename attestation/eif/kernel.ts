/**
 * The end of a kernel according to its own header. The border between kernel and command line is not measured: an attacker
 * who moves the first words of the command line to the end of the kernel leaves every PCR as it was, and the kernel boots
 * without those words. Bytes after the kernel's end are the sign of such a move.
 */

/** Length in bytes of the head of a kernel that decides its format and end. */
export const KERNEL_HEAD_BYTES = 4096;

/** A kernel, by its header. */
export interface EifKernel {
  /** Format by its magic. `ELF` is the vmlinux before it is packed, which no enclave boots; `unknown` is anything else. */
  readonly format: 'bzImage' | 'Image' | 'ELF' | 'unknown';
  /** Number of bytes after a bzImage and the signature that a distribution appends; absent for other formats. */
  readonly bytesAfterEnd?: number;
}

/** Magic of a bzImage, `HdrS`: Linux, x86/boot. */
const BZIMAGE_MAGIC = 0x5372_6448;
/** Magic of an arm64 Image, `ARM` and 0x64: Linux, arm64/booting. */
const ARM64_MAGIC = 0x644d_5241;
/** Magic of an ELF file: 0x7f and `ELF`. */
const ELF_MAGIC = 0x464c_457f;
const PE_MAGIC = 0x4550;
const PE32_PLUS = 0x020b;
const SECTOR_BYTES = 512;

/**
 * Determines the format of a kernel, and for a bzImage where it ends.
 *
 * @param head the first {@link KERNEL_HEAD_BYTES} bytes, or all of a shorter kernel
 * @param size length of the whole kernel in bytes
 */
export function describeKernel(head: Uint8Array, size: number): EifKernel {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length >= 0x206 && view.getUint32(0x202, true) === BZIMAGE_MAGIC) {
    const end = Math.max(bzImageEnd(view), signatureEnd(view));
    return { format: 'bzImage', bytesAfterEnd: Math.max(0, size - end) };
  }
  if (head.length >= 60 && view.getUint32(56, true) === ARM64_MAGIC) return { format: 'Image' };
  return { format: head.length >= 4 && view.getUint32(0, true) === ELF_MAGIC ? 'ELF' : 'unknown' };
}

/** Computes the end of a bzImage: boot sector, setup sectors (0 means 4), and `syssize` paragraphs of 16 bytes. */
function bzImageEnd(view: DataView): number {
  const setupSectors = view.getUint8(0x1f1) || 4;
  return (setupSectors + 1) * SECTOR_BYTES + view.getUint32(0x1f4, true) * 16;
}

/** Computes the end of the PE certificate table, which lies after the image; 0 where there is none. */
function signatureEnd(view: DataView): number {
  const header = view.getUint32(0x3c, true);
  const directory = header + 24 + 112 + 4 * 8;
  if (directory + 8 > view.byteLength) return 0;
  if (view.getUint32(header, true) !== PE_MAGIC || view.getUint16(header + 24, true) !== PE32_PLUS) return 0;
  return view.getUint32(directory, true) + view.getUint32(directory + 4, true);
}
