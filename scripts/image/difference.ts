import { printable } from '../../cli/common/printable.ts';
import type { ImageFile } from './image.ts';

/** Explains in words how the files of two images differ; empty when they do not. Either list may be a stranger's. */
export function explainDifference(before: readonly ImageFile[], after: readonly ImageFile[]): string[] {
  const nameOf = ({ ramdisk, path }: ImageFile) => `${ramdisk}: ${path}`;
  const known = new Map(before.map((file) => [nameOf(file), file]));
  const lines: string[] = [];
  for (const file of after) {
    const name = nameOf(file);
    const old = known.get(name);
    known.delete(name);
    if (old === undefined) lines.push(`${name}: only in the rebuilt image`);
    else if (old.sha256 !== file.sha256)
      lines.push(`${name}: ${old.bytes} bytes before, ${file.bytes} rebuilt, other content`);
  }
  return [...lines, ...[...known.keys()].map((name) => `${name}: only in the given image`)].map(printable);
}
