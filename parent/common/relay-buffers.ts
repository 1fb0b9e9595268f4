/** Size of a quiet connection's buffer: room for a request to KMS or its response. */
const SMALL_BYTES = 8 * 1_024;
/** Size of a busy connection's buffer: as much as a Unix or vsock socket has ready at once. */
const LARGE_BYTES = 256 * 1_024;
/** Maximum of large buffers, 64 MiB together; further connections, busy or held back, have small ones. */
const MAX_LARGE = 256;
const MAX_KEPT_SMALL = 512;
const MAX_KEPT_LARGE = 64;

const small: Buffer[] = [];
const large: Buffer[] = [];
let largeInUse = 0;

/**
 * Takes a buffer to read into, after a read that brought `count` bytes into one of `size` bytes. Buffers are used again
 * and again: a new one for each read costs more than moving its bytes, because the garbage collector goes through the
 * whole heap for it.
 */
export function takeBuffer(count: number, size: number): Buffer {
  const wantsLarge = count > SMALL_BYTES || (count === size && size > 0);
  if (!wantsLarge || largeInUse >= MAX_LARGE) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
  largeInUse += 1;
  return large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
}

/** Gives a buffer back, once: nobody reads it any more and nobody writes into it. */
export function giveBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE_BYTES) {
    largeInUse -= 1;
    if (large.length < MAX_KEPT_LARGE) large.push(buffer);
  } else if (small.length < MAX_KEPT_SMALL) small.push(buffer);
}
