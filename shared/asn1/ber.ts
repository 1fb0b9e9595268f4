import { BerError } from './errors.ts';

/** One BER element, ITU-T X.690 section 8. `content` of a constructed element is in `children`. */
export interface BerElement {
  /** The identifier octet: class, constructed bit and number. */
  readonly tag: number;
  readonly children: readonly BerElement[];
  /** Content octets of a primitive element; of a constructed one, its children's encoding. */
  readonly content: Uint8Array;
}

const CONSTRUCTED = 0x20;
const END_OF_CONTENTS = 0x00;
const INDEFINITE = 0x80;
const MAX_DEPTH = 12;

/**
 * Reads exactly one BER element that fills `bytes` (nothing may trail). Single-octet tags only; definite lengths
 * must be minimal, indefinite ones must end.
 *
 * @throws BerError BER_MALFORMED
 */
export function parseBer(bytes: Uint8Array): BerElement {
  const { element, end } = readElement(bytes, 0, 0);
  if (end !== bytes.length) throw malformed('trailing bytes', end);
  return element;
}

function readElement(bytes: Uint8Array, start: number, depth: number): { element: BerElement; end: number } {
  if (depth > MAX_DEPTH) throw malformed('nested too deep', start);
  const tag = readByte(bytes, start);
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag of several octets', start);
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  const { length, offset } = readLength(bytes, start + 1);
  if (length === undefined) {
    if (!isConstructed) throw malformed('an indefinite length of a primitive element', start);
    return readIndefinite(bytes, tag, offset, depth);
  }
  const end = offset + length;
  if (end > bytes.length) throw malformed('truncated', start);
  const content = bytes.subarray(offset, end);
  return { element: { tag, content, children: isConstructed ? readAll(content, depth) : [] }, end };
}

function readAll(content: Uint8Array, depth: number): BerElement[] {
  const children: BerElement[] = [];
  for (let offset = 0; offset < content.length;) {
    const { element, end } = readElement(content, offset, depth + 1);
    children.push(element);
    offset = end;
  }
  return children;
}

function readIndefinite(bytes: Uint8Array, tag: number, start: number, depth: number) {
  const children: BerElement[] = [];
  let offset = start;
  while (readByte(bytes, offset) !== END_OF_CONTENTS) {
    const { element, end } = readElement(bytes, offset, depth + 1);
    children.push(element);
    offset = end;
  }
  if (readByte(bytes, offset + 1) !== 0) throw malformed('end-of-contents with a length', offset);
  return { element: { tag, content: bytes.subarray(start, offset), children }, end: offset + 2 };
}

/** Reads a length: X.690 section 8.1.3, with the minimal form that DER asks for; undefined for an indefinite one. */
function readLength(bytes: Uint8Array, start: number): { length: number | undefined; offset: number } {
  const first = readByte(bytes, start);
  if (first < 0x80) return { length: first, offset: start + 1 };
  if (first === INDEFINITE) return { length: undefined, offset: start + 1 };
  const count = first & 0x7f;
  if (count > 3) throw malformed('a length of more than 16 MiB', start);
  let length = 0;
  for (let index = 1; index <= count; index += 1) length = length * 256 + readByte(bytes, start + index);
  if (length < 0x80 || length < 256 ** (count - 1)) throw malformed('a length that is not minimal', start);
  return { length, offset: start + 1 + count };
}

function readByte(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw malformed('truncated', offset);
  return byte;
}

function malformed(problem: string, offset: number): BerError {
  return new BerError('BER_MALFORMED', `BER: ${problem}`, { offset });
}
