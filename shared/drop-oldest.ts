/**
 * Forgets what a map or a set has held for longest, until it holds no more than a number of entries.
 *
 * @param maximum entries that stay
 */
export function dropOldest<Key>(
  held: { readonly size: number; keys(): Iterable<Key>; delete(key: Key): boolean },
  maximum: number,
): void {
  for (const oldest of held.keys()) {
    if (held.size <= maximum) return;
    held.delete(oldest);
  }
}
