import { TransactionError } from '../errors.ts';

/** Reads bytes from the front; what is not there is a refusal. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** @throws TransactionError TRANSACTION_MALFORMED */
  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) throw this.#truncated(1);
    this.#offset += 1;
    return value;
  }

  /** @throws TransactionError TRANSACTION_MALFORMED */
  bytes(length: number): Uint8Array {
    if (this.remaining < length) throw this.#truncated(length);
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  /** Reads an unsigned integer, little-endian. @throws TransactionError TRANSACTION_MALFORMED */
  integer(length: 4 | 8): bigint {
    let value = 0n;
    for (const [index, byte] of this.bytes(length).entries()) value |= BigInt(byte) << BigInt(8 * index);
    return value;
  }

  /**
   * Reads a compact-u16, of one to three bytes. Forms that are longer than needed are read: the encoded message, which
   * is compared, has none.
   *
   * @throws TransactionError TRANSACTION_MALFORMED
   */
  compactLength(): number {
    let value = 0;
    for (let shift = 0; shift <= 14; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) {
        if (value <= 0xffff) return value;
        break;
      }
    }
    throw new TransactionError('TRANSACTION_MALFORMED', 'a length beyond 16 bits', { offset: this.#offset });
  }

  #truncated(length: number): TransactionError {
    return new TransactionError('TRANSACTION_MALFORMED', `${length} bytes expected, the data ends`, {
      offset: this.#offset,
      expected: length,
      actual: this.remaining,
    });
  }
}
