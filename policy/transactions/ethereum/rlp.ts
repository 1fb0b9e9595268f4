import { TransactionError } from '../errors.ts';

/** A string, or a list of items (Ethereum yellow paper, appendix B). */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** The most lists open at once: transaction, access list, its entry, the entry's storage keys. */
export const MAX_RLP_DEPTH = 4;
/** The most items of one encoding. Each costs an object, however few bytes it has. */
export const MAX_RLP_ITEMS = 2048;

interface Budget {
  items: number;
}

/**
 * Decodes one item that fills `bytes`. Takes lengths that are longer than they need be: whoever calls it encodes the
 * fields again and compares, which finds them, and leading zeros of integers too, in one place.
 *
 * @throws TransactionError TRANSACTION_MALFORMED for a length that leaves its list or bytes left over,
 *   TRANSACTION_TOO_LARGE beyond {@link MAX_RLP_DEPTH} or {@link MAX_RLP_ITEMS}
 */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const [item, end] = decodeItem(bytes, 0, 0, { items: 0 });
  if (end !== bytes.length) {
    throw new TransactionError(
      'TRANSACTION_MALFORMED',
      `${bytes.length - end} bytes after the outermost item`,
      {
        left: bytes.length - end,
      },
    );
  }
  return item;
}

function decodeItem(bytes: Uint8Array, at: number, depth: number, budget: Budget): [RlpItem, number] {
  budget.items += 1;
  if (budget.items > MAX_RLP_ITEMS) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'too many items', { maximum: MAX_RLP_ITEMS });
  }
  const first = bytes[at];
  if (first === undefined) throw truncated(at);
  if (first < 0x80) return [bytes.subarray(at, at + 1), at + 1];
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  let start = at + 1;
  let length = short;
  if (short > 55) {
    start += short - 55;
    length = 0;
    // A sum beyond 2^53 loses digits and is too large all the same.
    for (let index = at + 1; index < start; index += 1) length = length * 256 + (bytes[index] ?? Infinity);
  }
  const end = start + length;
  if (!(end <= bytes.length)) throw truncated(at);
  if (!isList) return [bytes.subarray(start, end), end];
  return [decodeList(bytes.subarray(0, end), start, depth, budget), end];
}

function decodeList(bytes: Uint8Array, start: number, depth: number, budget: Budget): RlpItem[] {
  if (depth >= MAX_RLP_DEPTH) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'lists nested too deep', { maximum: MAX_RLP_DEPTH });
  }
  const items: RlpItem[] = [];
  for (let at = start; at < bytes.length;) {
    const [item, end] = decodeItem(bytes, at, depth + 1, budget);
    items.push(item);
    at = end;
  }
  return items;
}

function truncated(offset: number): TransactionError {
  return new TransactionError('TRANSACTION_MALFORMED', `the item at byte ${offset} leaves what contains it`, {
    offset,
  });
}

/** Encodes an item in the one form that the chain takes: each length as short as it can be. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const isList = !(item instanceof Uint8Array);
  const parts = isList ? item.map(encodeRlp) : [item];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const only = isList ? undefined : item[0];
  if (length === 1 && only !== undefined && only < 0x80) return Uint8Array.of(only);
  const header = encodeHeader(isList ? 0xc0 : 0x80, length);
  const encoded = new Uint8Array(header.length + length);
  encoded.set(header);
  let at = header.length;
  for (const part of parts) {
    encoded.set(part, at);
    at += part.length;
  }
  return encoded;
}

function encodeHeader(base: number, length: number): number[] {
  if (length <= 55) return [base + length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [base + 55 + digits.length, ...digits];
}
