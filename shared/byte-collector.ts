const FIRST_CAPACITY = 1024;

/**
 * Bytes that arrive in pieces of any size, in one buffer. It grows with what has come, at most twice as long, and not
 * with the number of pieces: each of those is an object of a hundred bytes and more, however short it is.
 */
export class ByteCollector {
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  #isOwn = false;

  /** @param maxBytes what may come at most */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes a piece, which is the collector's from then on; false, and nothing is taken, where there would be more than may come. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#maxBytes) return false;
    // What comes in one piece is not copied.
    if (this.#length === 0) this.#buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    else {
      if (length > this.#buffer.length || !this.#isOwn) this.#grow(length);
      this.#buffer.set(piece, this.#length);
    }
    this.#length = length;
    return true;
  }

  /** All that has come. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(2 * length, FIRST_CAPACITY)));
    larger.set(this.bytes());
    // It may have been a secret.
    this.#buffer.fill(0);
    this.#buffer = larger;
    this.#isOwn = true;
  }
}
