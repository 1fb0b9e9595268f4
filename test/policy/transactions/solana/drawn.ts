import fc from 'fast-check';
import { OWN_KEY, type Parts, write } from './support.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const index = (count: number) => fc.nat(Math.max(0, count - 1));

/** Messages of the right form whose fields are mostly, and not always, those that the chain takes. */
export const drawnParts: fc.Arbitrary<Parts> = fc
  .record({
    version: fc.constantFrom<'legacy' | 0>('legacy', 0),
    others: fc.array(bytes(32), { minLength: 1, maxLength: 6 }),
    lifetime: bytes(32),
    signers: fc.nat(3),
    readonlySigners: fc.nat(1),
    readonlyOthers: fc.nat(3),
    isFirst: fc.boolean(),
    tables: fc.array(
      fc.record({
        key: bytes(32),
        writable: fc.array(fc.nat(255), { maxLength: 3 }),
        readonly: fc.array(fc.nat(255), { maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
  })
  .chain(({ others, signers, readonlySigners, readonlyOthers, isFirst, ...rest }) => {
    const keys = isFirst ? [OWN_KEY, ...others] : [...others.slice(0, 1), OWN_KEY, ...others.slice(1)];
    const table =
      rest.version === 0 ? rest.tables.flatMap(({ writable, readonly }) => [...writable, ...readonly]) : [];
    const instruction = fc.record({
      program: index(keys.length),
      accounts: fc.array(index(keys.length + table.length), { maxLength: 5 }),
      data: fc.array(fc.nat(255), { maxLength: 20 }),
    });
    return fc.array(instruction, { maxLength: 4 }).map((instructions): Parts => ({
      ...rest,
      keys,
      instructions,
      header: [signers, readonlySigners, readonlyOthers],
      tables: rest.version === 0 ? rest.tables : [],
    }));
  });

/** Bytes of a message with one of them altered, put in, or left out. */
export const mutated = (whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(whole, fc.nat(), fc.nat(255), fc.constantFrom('alter', 'insert', 'drop', 'repeat'))
    .map(([message, place, byte, how]) => {
      const at = place % message.length;
      const [before, after] = [message.subarray(0, at), message.subarray(at)];
      switch (how) {
        case 'alter':
          return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
        case 'insert':
          return Buffer.concat([before, Buffer.of(byte), after]);
        case 'repeat':
          return Buffer.concat([before, after.subarray(0, 1), after]);
        case 'drop':
        default:
          return Buffer.concat([before, after.subarray(1)]);
      }
    });

export const drawnMessages = drawnParts.map((parts): Uint8Array => write(parts));
