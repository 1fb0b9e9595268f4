import type { CreateError, DerErrorCode } from './errors.ts';

/** Identifier octets that occur in certificates: X.690 section 8.1.2. */
export const DER_TAG = Object.freeze({
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
});

const HEX_OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/**
 * Reads DER from front to back and refuses what only BER would allow: indefinite and non-minimal lengths, padded
 * integers, long-form tags. General ASN.1 readers are lenient about these, which would let a hostile certificate
 * mean one thing here and another elsewhere.
 *
 * Every method throws what `createError` makes of a `DER_…` code and the offset from the start of the outermost input.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #createError: CreateError<DerErrorCode>;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, createError: CreateError<DerErrorCode>, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#createError = createError;
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get atEnd(): boolean {
    return this.#offset === this.#end;
  }

  /** Returns the next identifier octet, or undefined at the end. */
  peekTag(): number | undefined {
    return this.atEnd ? undefined : this.#bytes[this.#offset];
  }

  /** Reads the next element, which must have this tag, and returns its content. */
  read(tag: number): Uint8Array {
    const { start, end } = this.#take(tag);
    return this.#bytes.subarray(start, end);
  }

  /** Reads the next element, which must have this tag, and returns a reader of its content. */
  enter(tag: number): DerReader {
    const { start, end } = this.#take(tag);
    return new DerReader(this.#bytes, this.#createError, start, end);
  }

  /** Reads the next element, which must have this tag, and returns it with its header. */
  readWhole(tag: number): Uint8Array {
    const from = this.#offset;
    const { end } = this.#take(tag);
    return this.#bytes.subarray(from, end);
  }

  /** Reads the octets of an INTEGER, two's complement and minimal: X.690 section 8.3.2. */
  readInteger(): Uint8Array {
    const at = this.#offset;
    const content = this.read(DER_TAG.integer);
    const [first, second] = content;
    if (first === undefined) throw this.error('DER_INTEGER', 'an empty integer', at);
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      throw this.error('DER_INTEGER', 'an integer with needless leading octets', at);
    }
    return content;
  }

  /** Reads TRUE. X.690 section 11.1 allows one octet for it, and where FALSE is the default it must be left out. */
  readTrue(): true {
    const at = this.#offset;
    const content = this.read(DER_TAG.boolean);
    if (content.length !== 1)
      throw this.error('DER_BOOLEAN', `a boolean of ${content.length} octets instead of 1`, at);
    if (content[0] === 0) throw this.error('DER_DEFAULT', 'FALSE spelt out where it is the default', at);
    if (content[0] !== 0xff) throw this.error('DER_BOOLEAN', 'a boolean that is neither FALSE nor TRUE', at);
    return true;
  }

  /** Reads a BIT STRING: the number of unused bits (which are zero) of its last octet, and its octets. */
  readBitString(): { unusedBits: number; octets: Uint8Array } {
    const at = this.#offset;
    const content = this.read(DER_TAG.bitString);
    const unusedBits = content[0];
    const octets = content.subarray(1);
    if (unusedBits === undefined)
      throw this.error('DER_BIT_STRING_EMPTY', 'a bit string of no octets at all', at);
    const last = octets.at(-1);
    if (unusedBits > 7 || (last === undefined && unusedBits !== 0)) {
      throw this.error('DER_BIT_STRING', 'a bit string with impossible unused bits', at);
    }
    if (last !== undefined && (last & ((1 << unusedBits) - 1)) !== 0) {
      throw this.error('DER_BIT_STRING', 'a bit string whose unused bits are set', at);
    }
    return { unusedBits, octets };
  }

  /** Reads the octets of an OBJECT IDENTIFIER as lower-case hex. */
  readObjectIdentifier(): string {
    const at = this.#offset;
    const content = this.read(DER_TAG.objectIdentifier);
    let startsArc = true;
    let hex = '';
    for (const octet of content) {
      if (startsArc && octet === 0x80) throw this.error('DER_OBJECT_IDENTIFIER', 'a padded arc', at);
      startsArc = octet < 0x80;
      hex += HEX_OCTETS[octet];
    }
    if (content.length === 0 || !startsArc)
      throw this.error('DER_OBJECT_IDENTIFIER', 'an unfinished arc', at);
    return hex;
  }

  /** Asserts that nothing follows. */
  finish(): void {
    if (!this.atEnd) throw this.error('DER_TRAILING_BYTES', 'octets after the end');
  }

  error(code: DerErrorCode, message: string, offset = this.#offset): Error {
    return this.#createError(code, `${message}, at octet ${offset}`, offset);
  }

  #take(tag: number): { start: number; end: number } {
    const at = this.#offset;
    const actual = this.peekTag();
    if (actual === undefined) throw this.error('DER_TRUNCATED', 'an element is missing');
    if (actual !== tag)
      throw this.error('DER_TAG', `tag 0x${actual.toString(16)} in place of 0x${tag.toString(16)}`);
    this.#offset += 1;
    const length = this.#readLength(at);
    const start = this.#offset;
    if (length > this.#end - start)
      throw this.error('DER_TRUNCATED', 'an element longer than what holds it', at);
    this.#offset = start + length;
    return { start, end: this.#offset };
  }

  /** Reads a length, which must be definite and minimal: X.690 sections 10.1 and 8.1.3. */
  #readLength(at: number): number {
    const first = this.#readOctet();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0) throw this.error('DER_INDEFINITE_LENGTH', 'an indefinite length', at);
    // Three octets hold lengths up to 16 MiB, more than any input of this reader.
    if (count > 3) throw this.error('DER_LENGTH', 'a length of too many octets', at);
    let length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + this.#readOctet();
    if (length < 0x80 || length < 256 ** (count - 1)) throw this.error('DER_LENGTH', 'a padded length', at);
    return length;
  }

  #readOctet(): number {
    const octet = this.atEnd ? undefined : this.#bytes[this.#offset];
    if (octet === undefined) throw this.error('DER_TRUNCATED', 'the input ends');
    this.#offset += 1;
    return octet;
  }
}
