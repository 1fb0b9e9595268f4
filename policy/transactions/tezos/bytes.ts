import { TransactionError } from '../errors.ts';

/** Compares two byte strings. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Reads big-endian fields from bytes; whatever is missing or left over is TRANSACTION_MALFORMED. */
export class Reader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#bytes.length - this.#position;
  }

  get isAtEnd(): boolean {
    return this.left === 0;
  }

  take(length: number): Uint8Array {
    const end = this.#position + length;
    if (end > this.#bytes.length) {
      throw new TransactionError('TRANSACTION_MALFORMED', 'a field is longer than the bytes around it', {
        position: this.#position,
        expected: length,
        found: this.left,
      });
    }
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  /** Reads an unsigned integer of up to four bytes. */
  unsigned(length: number): number {
    return this.take(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** Reads a signed integer of four bytes. */
  int32(): number {
    return this.unsigned(4) | 0;
  }

  assertAtEnd(): void {
    if (this.isAtEnd) return;
    throw new TransactionError('TRANSACTION_MALFORMED', 'bytes are left over', {
      position: this.#position,
      found: this.left,
    });
  }
}

/** Writes big-endian fields. */
export class Writer {
  readonly #bytes: number[] = [];

  append(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  unsigned(length: number, value: number): void {
    for (let shift = length - 1; shift >= 0; shift -= 1) this.#bytes.push((value >>> (8 * shift)) & 0xff);
  }

  /** Writes what `write` writes behind its own length, in `size` bytes. */
  prefixed(size: number, write: () => void): void {
    const start = this.#bytes.length;
    this.unsigned(size, 0);
    write();
    const length = this.#bytes.length - start - size;
    for (let at = 0; at < size; at += 1) this.#bytes[start + at] = (length >>> (8 * (size - 1 - at))) & 0xff;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
