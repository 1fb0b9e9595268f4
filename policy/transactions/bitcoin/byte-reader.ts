import { TransactionError } from '../errors.ts';

const BITS_OF_U32 = 32n;

/**
 * Reads the primitives of Bitcoin's serialisation from bytes, each in its one shortest form. Byte strings are views of
 * the input.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  #offset = 0;

  /** @param name of what is read, for errors */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#name = name;
  }

  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Reads `length` bytes. @throws TransactionError TRANSACTION_MALFORMED */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Returns the bytes from an offset up to the place that is read next. */
  since(offset: number): Uint8Array {
    return this.#bytes.subarray(offset, this.#offset);
  }

  /** Returns the byte at a distance from the place that is read next, without reading it. */
  peek(distance: number): number | undefined {
    return this.#bytes[this.#offset + distance];
  }

  readU8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  readU32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  readU64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /**
   * Reads a compact size, which counts something, in its shortest form.
   *
   * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL
   */
  readCompactSize(): number {
    const start = this.#offset;
    const first = this.readU8();
    if (first < 0xfd) return first;
    const [size, least] =
      first === 0xfd
        ? [BigInt(this.#view.getUint16(this.#advance(2), true)), 0xfdn]
        : first === 0xfe
          ? [BigInt(this.readU32()), 0x1_0000n]
          : [this.readU64(), 1n << BITS_OF_U32];
    if (size < least) {
      throw new TransactionError(
        'TRANSACTION_NOT_CANONICAL',
        `${this.#name}: a compact size is longer than it has to be`,
        {
          offset: start,
          found: String(size),
        },
      );
    }
    // A number of bytes that no request holds, and beyond what a double counts exactly.
    if (size > BigInt(Number.MAX_SAFE_INTEGER))
      throw this.#malformed('a compact size is out of range', start);
    return Number(size);
  }

  /** Reads bytes behind their number. */
  readBytes(): Uint8Array {
    return this.take(this.readCompactSize());
  }

  /** @throws TransactionError TRANSACTION_MALFORMED where bytes are left */
  assertAtEnd(): void {
    if (!this.isAtEnd) throw this.#malformed('expected the end, found more bytes', this.#offset);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) {
      throw this.#malformed(`expected ${length} bytes, found ${this.#bytes.length - start}`, start);
    }
    this.#offset = start + length;
    return start;
  }

  #malformed(message: string, offset: number): TransactionError {
    return new TransactionError('TRANSACTION_MALFORMED', `${this.#name}: ${message}`, { offset });
  }
}
