/**
 * The hypervisor puts all ramdisks one after the other, and the kernel unpacks them as one initramfs. A plain cpio
 * archive is found only at a multiple of 4 bytes from the start; zeros before one are skipped, and a packed archive
 * may start anywhere (Linux, early-userspace/buffer-format).
 */
import { EifError } from './errors.ts';
import { type EifSource, readExactly } from './source.ts';

const ALIGNMENT = 4;
/** A plain cpio archive starts with `0`, the first digit of its magic. */
const PLAIN_CPIO = 0x30;

/**
 * With `pad`, every ramdisk but the last is filled with zeros to a multiple of 4 bytes; without, they stay as they are.
 * @throws EifError EIF_RAMDISK_ALIGNMENT for a plain archive where the kernel would not find it
 */
export async function padRamdisks(ramdisks: readonly EifSource[], pad: boolean): Promise<EifSource[]> {
  if (pad) return ramdisks.map((source, index) => (index < ramdisks.length - 1 ? padded(source) : source));
  let offset = 0;
  for (const [index, source] of ramdisks.entries()) {
    const misaligned = offset % ALIGNMENT !== 0;
    if (misaligned && source.size > 0 && (await readExactly(source, 0, 1))[0] === PLAIN_CPIO) {
      throw new EifError('EIF_RAMDISK_ALIGNMENT', 'the kernel would not find a ramdisk that starts here', {
        ramdisk: index,
        offset,
        expected: `a multiple of ${ALIGNMENT}`,
      });
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
