const FIRST_CAPACITY = 1024;

/**
 * Collects bytes that arrive in pieces of any size in one buffer. The buffer is at most twice as long as its content. A
 * list of the pieces would grow with their number: each is an object of a hundred bytes and more, however short.
 */
export class ByteCollector {
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  #isOwn = false;

  /** @param maxBytes the most bytes to collect */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a piece, which the collector then owns; false, and nothing is added, where that would exceed the maximum. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#maxBytes) return false;
    // A single piece is not copied.
    if (this.#length === 0) this.#buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    else {
      if (length > this.#buffer.length || !this.#isOwn) this.#grow(length);
      this.#buffer.set(piece, this.#length);
    }
    this.#length = length;
    return true;
  }

  /** Returns all bytes collected, as a view. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(2 * length, FIRST_CAPACITY)));
    larger.set(this.bytes());
    // The old buffer may hold a secret.
    this.#buffer.fill(0);
    this.#buffer = larger;
    this.#isOwn = true;
  }
}
