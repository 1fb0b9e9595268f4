/** What a quiet connection holds: room for a request to KMS or its answer. */
const SMALL_BYTES = 8 * 1_024;
/** What one holds on which much moves: as much as a Unix or vsock socket has ready at once. */
const LARGE_BYTES = 256 * 1_024;
/** All of them together take 64 MiB; however many connections are busy or held back, the rest has small ones. */
const MAX_LARGE = 256;
const MAX_KEPT_SMALL = 512;
const MAX_KEPT_LARGE = 64;

const small: Buffer[] = [];
const large: Buffer[] = [];
let largeInUse = 0;

/**
 * A buffer to read into, after a read that brought so many bytes into one of such a size. They are used again and again:
 * one that is made for each read costs more than to move what is in it, because the garbage collector goes through the
 * whole heap for them.
 */
export function takeBuffer(count: number, size: number): Buffer {
  const wantsLarge = count > SMALL_BYTES || (count === size && size > 0);
  if (!wantsLarge || largeInUse >= MAX_LARGE) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
  largeInUse += 1;
  return large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
}

/** Gives one back, once: nobody reads it any more and nobody writes into it. */
export function giveBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE_BYTES) {
    largeInUse -= 1;
    if (large.length < MAX_KEPT_LARGE) large.push(buffer);
  } else if (small.length < MAX_KEPT_SMALL) small.push(buffer);
}
