/**
 * Alignment of ramdisks. The hypervisor puts all ramdisks one after the other, and the kernel unpacks them as one
 * initramfs. The kernel finds a plain cpio archive only at a multiple of 4 bytes from the start, skips zeros before one,
 * and finds a packed archive anywhere (Linux, early-userspace/buffer-format).
 */
import { EifError } from './errors.ts';
import { type EifSource, readExactly } from './source.ts';

const ALIGNMENT = 4;
/** A plain cpio archive starts with `0`, the first digit of its magic. */
const PLAIN_CPIO = 0x30;

/**
 * Fills every ramdisk but the last with zeros to a multiple of 4 bytes, or, without `pad`, checks that the kernel finds
 * each of them as it is.
 *
 * @throws EifError EIF_RAMDISK_ALIGNMENT for a plain archive where the kernel would not find it
 */
export async function padRamdisks(ramdisks: readonly EifSource[], pad: boolean): Promise<EifSource[]> {
  if (pad) return ramdisks.map((source, index) => (index < ramdisks.length - 1 ? padded(source) : source));
  let offset = 0;
  for (const [index, source] of ramdisks.entries()) {
    const misaligned = offset % ALIGNMENT !== 0;
    if (misaligned && source.size > 0 && (await readExactly(source, 0, 1))[0] === PLAIN_CPIO) {
      throw new EifError(
        'EIF_RAMDISK_ALIGNMENT',
        `ramdisk ${index} would start at byte ${offset} of the initramfs: expected a multiple of ${ALIGNMENT}`,
        {
          ramdisk: index,
          offset,
          expected: `a multiple of ${ALIGNMENT}`,
        },
      );
    }
    offset += source.size;
  }
  return [...ramdisks];
}

function padded(source: EifSource): EifSource {
  const size = Math.ceil(source.size / ALIGNMENT) * ALIGNMENT;
  return {
    size,
    async read(offset, length) {
      const inside = Math.max(0, Math.min(length, source.size - offset));
      const bytes = inside === 0 ? new Uint8Array() : await readExactly(source, offset, inside);
      if (inside === length) return bytes;
      const filled = new Uint8Array(length);
      filled.set(bytes);
      return filled;
    },
  };
}
