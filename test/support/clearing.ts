import { vi } from 'vitest';

/** Lists the contents, in hex, of every Uint8Array that `act` filled with zeros, as they were before. */
export function listCleared(act: () => unknown): string[] {
  const cleared: string[] = [];
  const fill = vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (
    this: Uint8Array,
    value: number,
    start?: number,
    end?: number,
  ) {
    if (value === 0) cleared.push(Buffer.from(this).toString('hex'));
    for (let index = start ?? 0; index < (end ?? this.length); index += 1) this[index] = value;
    return this;
  });
  try {
    act();
  } finally {
    fill.mockRestore();
  }
  return cleared;
}
