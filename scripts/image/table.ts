import type { BuiltImage, ImageFile } from './image.ts';

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(2).padStart(8);

/**
 * Tabulates an image's size for people: each part as it lies in the image, and under it its files as they are unpacked,
 * in MiB. Small files are counted together; image-files.json names them all.
 */
export function tabulateParts({ eif, parts, files }: Pick<BuiltImage, 'eif' | 'parts' | 'files'>): string {
  const lines = ['     MiB  unpacked'];
  const isSmall = ({ bytes }: ImageFile) => bytes < 64 * 1024;
  for (const [part, bytes] of Object.entries(parts)) {
    const within = files.filter(({ ramdisk }) => ramdisk === part);
    const sum = within.reduce((total, file) => total + file.bytes, 0);
    lines.push(`${mebibytes(bytes)}  ${within.length === 0 ? ' '.repeat(8) : mebibytes(sum)}  ${part}`);
    for (const file of within.filter((file) => !isSmall(file))) {
      lines.push(`${' '.repeat(10)}${mebibytes(file.bytes)}    ${file.path}`);
    }
    const small = within.filter(isSmall);
    const rest = small.reduce((total, file) => total + file.bytes, 0);
    if (small.length > 0) {
      const what = small.length === 1 ? small[0]?.path : `${small.length} small files`;
      lines.push(`${' '.repeat(10)}${mebibytes(rest)}    ${what}`);
    }
  }
  return [...lines, `${mebibytes(eif.size)}            in all, ${files.length} files`].join('\n');
}
