import { TransactionError } from '../errors.ts';
import { Reader, type Writer } from './bytes.ts';
import { MAX_INTEGER_BYTES, MAX_NUMBER_BYTES } from './limits.ts';

/**
 * One field of Octez's binary encoding, in both directions. Reading is lenient where the chain's own decoder is: the
 * caller writes what was read, and compares.
 */
export interface Codec<T> {
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

/** Bytes of a fixed length. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    read: (reader) => reader.take(length),
    write: (writer, value) => writer.append(value),
  };
}

/** Unsigned integer of `length` bytes. */
export function unsigned(length: 1 | 2 | 4): Codec<number> {
  return {
    read: (reader) => reader.unsigned(length),
    write: (writer, value) => writer.unsigned(length, value),
  };
}

/** Signed integer of four bytes. */
export const int32: Codec<number> = {
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.unsigned(4, value),
};

/** Reads groups of seven bits, the lowest first, until one has no high bit. */
function readGroups(reader: Reader, maximum: number): number[] {
  const groups: number[] = [];
  for (;;) {
    const byte = reader.unsigned(1);
    groups.push(byte);
    if (byte < 0x80) return groups;
    if (groups.length === maximum) {
      throw new TransactionError('TRANSACTION_TOO_LARGE', 'a number has too many bytes', { maximum });
    }
  }
}

/** Natural number as Octez has it (`n`). */
export function natural(maximum: number): Codec<bigint> {
  return {
    read: (reader) =>
      readGroups(reader, maximum).reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n),
    write: (writer, value) => {
      let rest = value;
      for (; rest > 0x7fn; rest >>= 7n) writer.unsigned(1, Number(rest & 0x7fn) | 0x80);
      writer.unsigned(1, Number(rest));
    },
  };
}

/** Amount, counter or limit of an operation. */
export const number = natural(MAX_NUMBER_BYTES);

/** Integer as Octez has it (`z`): the first byte has a sign and six bits. */
export const integer: Codec<bigint> = {
  read: (reader) => {
    const [first = 0, ...others] = readGroups(reader, MAX_INTEGER_BYTES);
    const high = others.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
    const magnitude = (high << 6n) | BigInt(first & 0x3f);
    return (first & 0x40) === 0 ? magnitude : -magnitude;
  },
  write: (writer, value) => {
    const magnitude = value < 0n ? -value : value;
    let rest = magnitude >> 6n;
    const first = Number(magnitude & 0x3fn) | (value < 0n ? 0x40 : 0);
    writer.unsigned(1, rest > 0n ? first | 0x80 : first);
    if (rest === 0n) return;
    for (; rest > 0x7fn; rest >>= 7n) writer.unsigned(1, Number(rest & 0x7fn) | 0x80);
    writer.unsigned(1, Number(rest));
  },
};

/** A value or none, behind 0xff or 0x00. */
export function option<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    read: (reader) => {
      const present = reader.unsigned(1);
      if (present === 0) return undefined;
      if (present === 0xff) return codec.read(reader);
      throw new TransactionError('TRANSACTION_MALFORMED', 'a boolean is neither 0x00 nor 0xff', {
        found: present,
      });
    },
    write: (writer, value) => {
      writer.unsigned(1, value === undefined ? 0 : 0xff);
      if (value !== undefined) codec.write(writer, value);
    },
  };
}

/** A value behind its own length, which it fills. */
export function dynamic<T>(codec: Codec<T>, size: 1 | 4 = 4): Codec<T> {
  return {
    read: (reader) => {
      const inner = new Reader(reader.take(reader.unsigned(size)));
      const value = codec.read(inner);
      inner.assertAtEnd();
      return value;
    },
    write: (writer, value) => writer.prefixed(size, () => codec.write(writer, value)),
  };
}

/** Values one behind the other, to the end of what is around them. */
export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    read: (reader) => {
      const values: T[] = [];
      while (!reader.isAtEnd) values.push(codec.read(reader));
      return values;
    },
    write: (writer, values) => {
      for (const value of values) codec.write(writer, value);
    },
  };
}

/** Bytes to the end of what is around them. */
export const rest: Codec<Uint8Array> = {
  read: (reader) => reader.take(reader.left),
  write: (writer, value) => writer.append(value),
};

/** Named fields in the order of their declaration. */
export function record<F extends Readonly<Record<string, unknown>>>(fields: {
  readonly [K in keyof F]: Codec<F[K]>;
}): Codec<F> {
  const names = Object.keys(fields) as (keyof F)[];
  return {
    read: (reader) => {
      const value: Partial<F> = {};
      for (const name of names) value[name] = fields[name].read(reader);
      return value as F;
    },
    write: (writer, value) => {
      for (const name of names) fields[name].write(writer, value[name]);
    },
  };
}
