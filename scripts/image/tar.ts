import type { CpioEntry } from './cpio.ts';

const BLOCK = 512;
const TYPE = { file: '0', link: '2', directory: '5' } as const;
const MAX_NAME_BYTES = 100;

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function encodeHeader(entry: CpioEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  if (name.length > MAX_NAME_BYTES)
    throw new RangeError(`expected a path of at most ${MAX_NAME_BYTES} bytes, found ${name}`);
  const mode = entry.kind === 'file' && entry.isExecutable !== true ? 0o644 : 0o755;
  header.write(name, 0, 'latin1');
  header.write(octal(mode, 8) + octal(0, 8) + octal(0, 8), 100, 'latin1');
  header.write(octal(entry.kind === 'file' ? entry.content.length : 0, 12) + octal(0, 12), 124, 'latin1');
  header.write(' '.repeat(8) + TYPE[entry.kind], 148, 'latin1');
  if (entry.kind === 'link') header.write(entry.target, 157, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/**
 * Encodes a tar archive (POSIX ustar) of the same entries as a ramdisk: for tools that make images from archives.
 * Sorted, owned by root, dated 1970. A folder that comes twice is taken once.
 * @throws RangeError for a path of more than 100 bytes
 */
export function encodeTar(entries: readonly CpioEntry[]): Uint8Array {
  const sorted = [...new Map(entries.map((entry) => [entry.path, entry])).values()].toSorted((left, right) =>
    left.path < right.path ? -1 : 1,
  );
  const parts = sorted.flatMap((entry) => {
    const content = entry.kind === 'file' ? entry.content : new Uint8Array();
    return [encodeHeader(entry), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}
