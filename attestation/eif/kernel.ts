/**
 * Where a kernel ends by its own account. The border between kernel and command line is not measured: whoever moves
 * the first words of the command line to the end of the kernel leaves every PCR as it was, and the kernel boots without
 * them. A kernel that ends before its section does may be such a one.
 */

/** How much of the kernel has to be seen, in bytes. */
export const KERNEL_HEAD_BYTES = 4096;

export interface EifKernel {
  /** By its magic; `unknown` is anything else. `ELF` is what a kernel is made of, and boots on no hypervisor of AWS's. */
  readonly format: 'bzImage' | 'Image' | 'ELF' | 'unknown';
  /** What follows the end of a bzImage and of the signature that a distribution appends; for others not known. */
  readonly bytesAfterEnd?: number;
}

/** Linux, x86/boot: `HdrS`. */
const BZIMAGE_MAGIC = 0x5372_6448;
/** Linux, arm64/booting: `ARM` and 0x64. */
const ARM64_MAGIC = 0x644d_5241;
/** 0x7f and `ELF`. */
const ELF_MAGIC = 0x464c_457f;
const PE_MAGIC = 0x4550;
const PE32_PLUS = 0x020b;
const SECTOR_BYTES = 512;

/** @param head the first bytes, {@link KERNEL_HEAD_BYTES} or all @param size of the whole kernel */
export function describeKernel(head: Uint8Array, size: number): EifKernel {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length >= 0x206 && view.getUint32(0x202, true) === BZIMAGE_MAGIC) {
    const end = Math.max(bzImageEnd(view), signatureEnd(view));
    return { format: 'bzImage', bytesAfterEnd: Math.max(0, size - end) };
  }
  if (head.length >= 60 && view.getUint32(56, true) === ARM64_MAGIC) return { format: 'Image' };
  return { format: head.length >= 4 && view.getUint32(0, true) === ELF_MAGIC ? 'ELF' : 'unknown' };
}

/** Boot sector, setup sectors (0 means 4), and `syssize` paragraphs of 16 bytes. */
function bzImageEnd(view: DataView): number {
  const setupSectors = view.getUint8(0x1f1) || 4;
  return (setupSectors + 1) * SECTOR_BYTES + view.getUint32(0x1f4, true) * 16;
}

/** The PE certificate table, which lies after the image: the one data directory whose place is one in the file. */
function signatureEnd(view: DataView): number {
  const header = view.getUint32(0x3c, true);
  const directory = header + 24 + 112 + 4 * 8;
  if (directory + 8 > view.byteLength) return 0;
  if (view.getUint32(header, true) !== PE_MAGIC || view.getUint16(header + 24, true) !== PE32_PLUS) return 0;
  return view.getUint32(directory, true) + view.getUint32(directory + 4, true);
}
