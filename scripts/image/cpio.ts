/** Entry of an archive. Paths are relative and without `.` or `..`; parents are made by the entries given. */
export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | CpioFile;

export interface CpioFile {
  readonly path: string;
  readonly kind: 'file';
  readonly content: Uint8Array;
  readonly isExecutable?: boolean;
}

const MODE_BITS = { directory: 0o040755, link: 0o120777, file: 0o100644 } as const;
const EXECUTABLE_BITS = 0o111;
const TRAILER = 'TRAILER!!!';

function padTo4(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}

function encodeEntry(
  inode: number,
  mode: number,
  links: number,
  path: string,
  content: Uint8Array,
): Uint8Array[] {
  const name = new TextEncoder().encode(`${path}\0`);
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  const headerBytes = new TextEncoder().encode(header);
  return [headerBytes, name, padTo4(headerBytes.length + name.length), content, padTo4(content.length)];
}

/**
 * Encodes a cpio archive in the form that Linux unpacks at boot
 * (Documentation/driver-api/early-userspace/buffer-format.rst, `newc`). Sorted by path, everything owned by root and
 * dated 1970, so that the same entries give the same bytes.
 * @throws RangeError for a path twice, one that is not plain, or one whose folder is not among the entries
 */
export function encodeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const sorted = entries.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const folders = new Set(['']);
  const parts: Uint8Array[] = [];
  let previous: string | undefined;
  for (const [index, entry] of sorted.entries()) {
    const { path } = entry;
    if (!/^(?!\.{1,2}(\/|$))[\w.+-]+(\/(?!\.{1,2}(\/|$))[\w.+-]+)*$/.test(path))
      throw new RangeError(`expected a plain relative path, found ${path}`);
    if (path === previous) throw new RangeError(`${path} comes twice`);
    if (!folders.has(path.slice(0, Math.max(path.lastIndexOf('/'), 0))))
      throw new RangeError(`${path} has no folder`);
    previous = path;
    if (entry.kind === 'directory') folders.add(path);
    const isExecutable = entry.kind === 'file' && entry.isExecutable === true;
    const mode = MODE_BITS[entry.kind] | (isExecutable ? EXECUTABLE_BITS : 0);
    const content =
      entry.kind === 'file'
        ? entry.content
        : new TextEncoder().encode(entry.kind === 'link' ? entry.target : '');
    parts.push(...encodeEntry(index + 1, mode, entry.kind === 'directory' ? 2 : 1, path, content));
  }
  parts.push(...encodeEntry(0, 0, 1, TRAILER, new Uint8Array()));
  return Buffer.concat(parts);
}
