import { describe, expect, it } from 'vitest';
import { TransactionError } from '../../../../policy/transactions/index.ts';
import {
  decode,
  MAINNET,
  messageOf,
  OWN_KEY,
  type Parts,
  RECIPIENT,
  SYSTEM,
  TRANSFER,
  tryDecode,
  write,
} from './support.ts';

const key = (byte: number) => new Uint8Array(32).fill(byte);
const table = { key: key(50), writable: [0], readonly: [] };
/** Places of the lengths in a v0 message with one instruction and one table. */
const LENGTHS = [
  'accounts',
  'instructions',
  'accounts of an instruction',
  'data',
  'tables',
  'writable',
  'readonly',
];
const withTable: Parts = { version: 0, tables: [table] };
const instruction = (change: Partial<typeof TRANSFER>) => ({ instructions: [{ ...TRANSFER, ...change }] });
const COMPUTE_BUDGET = Buffer.from('0306466fe5211732ffecadba72c39be7bc8ce5bbc5f7126b2c439b3a40000000', 'hex');
const budget = (...data: number[][]): Parts => ({
  header: [1, 0, 2],
  keys: [OWN_KEY, RECIPIENT, SYSTEM, COMPUTE_BUDGET],
  instructions: [TRANSFER, ...data.map((bytes) => ({ program: 3, accounts: [], data: bytes }))],
});
const unitLimit = (units: number) => [2, units & 0xff, (units >> 8) & 0xff, units >> 16, 0];

describe('a message of Solana', () => {
  it('is read where it is well-formed, legacy and v0', () => {
    for (const message of [write(), write({ version: 0 }), write(withTable)]) {
      expect(decode(message).transaction.effects).toMatchObject([{ type: 'transfer', amount: 1000n }]);
    }
  });

  it.each(LENGTHS.map((name, position) => [name, position] as const))(
    'is refused where the length of its %s is not in its shortest form',
    (_, position) => {
      const at = (form: (value: number) => number[]) =>
        tryDecode(
          write({ ...withTable, length: (value, place) => (place === position ? form(value) : undefined) }),
        );
      expect(at((value) => [value])).not.toBeTypeOf('string');
      expect(at((value) => [value + 0x80, 0])).toBe('TRANSACTION_NOT_CANONICAL');
      expect(at((value) => [value + 0x80, 0x80, 0])).toBe('TRANSACTION_NOT_CANONICAL');
      expect(at((value) => [value + 0x80, 0x80, 4])).toBe('TRANSACTION_MALFORMED');
      expect(at((value) => [value + 0x80, 0x80, 0x80, 0])).toBe('TRANSACTION_MALFORMED');
    },
  );

  const duplicate = {
    keys: [OWN_KEY, RECIPIENT, RECIPIENT, SYSTEM],
    instructions: [{ ...TRANSFER, program: 3 }],
  };
  const nonce = messageOf('durable nonce');
  it.each<[string, Uint8Array, string]>([
    ['a byte behind its end', Buffer.concat([write(), Buffer.of(0)]), 'TRANSACTION_MALFORMED'],
    ['a byte behind the end of v0', Buffer.concat([write(withTable), Buffer.of(0)]), 'TRANSACTION_MALFORMED'],
    ['no list of tables in v0', write({ version: 0 }).subarray(0, -1), 'TRANSACTION_MALFORMED'],
    ['version 1', write({ version: 1 }), 'TRANSACTION_UNSUPPORTED'],
    ['version 127', write({ version: 127 }), 'TRANSACTION_UNSUPPORTED'],
    ['no signer', write({ header: [0, 0, 1] }), 'TRANSACTION_MALFORMED'],
    ['only read-only signers', write({ header: [1, 1, 1] }), 'TRANSACTION_MALFORMED'],
    ['more signers than accounts', write({ header: [4, 0, 0] }), 'TRANSACTION_MALFORMED'],
    ['signers that are read-only others', write({ header: [2, 0, 2] }), 'TRANSACTION_MALFORMED'],
    ['an account twice', write(duplicate), 'TRANSACTION_UNSAFE'],
    ['the key twice', write({ keys: [OWN_KEY, OWN_KEY, SYSTEM] }), 'TRANSACTION_UNSAFE'],
    ['a program that pays the fee', write(instruction({ program: 0 })), 'TRANSACTION_MALFORMED'],
    ['a program that is not there', write(instruction({ program: 3 })), 'TRANSACTION_MALFORMED'],
    [
      'a program from a table',
      write({ ...withTable, ...instruction({ program: 3 }) }),
      'TRANSACTION_MALFORMED',
    ],
    ['an account that is not there', write(instruction({ accounts: [0, 3] })), 'TRANSACTION_MALFORMED'],
    [
      'an account behind its table',
      write({ ...withTable, ...instruction({ accounts: [0, 4] }) }),
      'TRANSACTION_MALFORMED',
    ],
    [
      'a table that it does not use',
      write({ version: 0, tables: [{ key: key(50), writable: [], readonly: [] }] }),
      'TRANSACTION_MALFORMED',
    ],
    [
      'more than 256 accounts',
      write({
        version: 0,
        tables: [{ ...table, writable: Array.from({ length: 254 }, (_, index) => index) }],
      }),
      'TRANSACTION_TOO_LARGE',
    ],
    [
      '65 instructions',
      write({ instructions: Array.from({ length: 65 }, () => ({ program: 2, accounts: [], data: [] })) }),
      'TRANSACTION_TOO_LARGE',
    ],
    ['no instruction', write({ instructions: [] }), 'TRANSACTION_UNSUPPORTED'],
    [
      'no instruction but of the compute budget',
      write({ ...budget(unitLimit(1)), instructions: budget(unitLimit(1)).instructions?.slice(1) ?? [] }),
      'TRANSACTION_UNSUPPORTED',
    ],
    [
      'a transfer with a spare byte',
      write(instruction({ data: [...TRANSFER.data, 0] })),
      'TRANSACTION_MALFORMED',
    ],
    [
      'a transfer without its last byte',
      write(instruction({ data: TRANSFER.data.slice(0, -1) })),
      'TRANSACTION_MALFORMED',
    ],
    ['a transfer without a recipient', write(instruction({ accounts: [0] })), 'TRANSACTION_MALFORMED'],
    [
      'a nonce instruction with a spare byte',
      // Its data are the only four bytes of this form.
      Buffer.from(nonce.toString('hex').replace('0404000000', '050400000000'), 'hex'),
      'TRANSACTION_MALFORMED',
    ],
    ['a limit of compute units twice', write(budget(unitLimit(1), unitLimit(1))), 'TRANSACTION_UNSAFE'],
    ['a limit with a spare byte', write(budget([...unitLimit(1), 0])), 'TRANSACTION_MALFORMED'],
    ['a limit that is cut short', write(budget([2, 1, 0, 0])), 'TRANSACTION_MALFORMED'],
    ['an instruction that the compute budget lacks', write(budget([5, 1, 0, 0, 0])), 'TRANSACTION_UNSAFE'],
    [
      'the instruction that it no longer has',
      write(budget([0, 1, 0, 0, 0, 0, 0, 0, 0])),
      'TRANSACTION_UNSAFE',
    ],
  ])('is refused with %s', (_, message, code) => {
    expect(tryDecode(message)).toBe(code);
  });

  it('is refused at every length but its own', () => {
    for (const whole of [write(withTable), messageOf('priority fee')]) {
      for (let length = 1; length < whole.length; length += 1) {
        expect(tryDecode(whole.subarray(0, length))).toBe('TRANSACTION_MALFORMED');
      }
    }
  });

  it('fits into a packet with its signatures, and not one byte more', () => {
    const memo = (length: number) =>
      write({
        header: [1, 0, 1],
        keys: [OWN_KEY, key(60)],
        instructions: [{ program: 1, accounts: [], data: Array.from({ length }, () => 1) }],
      });
    const room = 1232 - 1 - 64 - (memo(128).length - 128);
    expect(tryDecode(memo(room))).not.toBeTypeOf('string');
    expect(tryDecode(memo(room + 1))).toBe('TRANSACTION_TOO_LARGE');
    // A second signature takes 64 bytes more.
    const second = memo(room);
    second[0] = 2;
    second[2] = 0;
    expect(tryDecode(second)).toBe('TRANSACTION_TOO_LARGE');
  });

  it('is refused for a key that does not sign it', () => {
    const refusal = expect.objectContaining({ code: 'TRANSACTION_KEY_MISMATCH' });
    expect(() => decode(write(), { publicKey: key(3) })).toThrow(refusal);
    expect(() => decode(write(), { publicKey: RECIPIENT })).toThrow(refusal);
    expect(() => decode(write(), { publicKey: OWN_KEY.subarray(0, 31) })).toThrow(refusal);
  });

  it.each([[[]], [['eip155:1']], [[MAINNET, 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1']]])(
    'is refused for a key with the networks %j',
    (networks) => {
      const refusal = expect.objectContaining({ code: 'TRANSACTION_NETWORK_MISMATCH' });
      expect(() => decode(write(), { networks })).toThrow(refusal);
    },
  );

  it('is of the network of the key, among those of other chains', () => {
    const devnet = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
    const { transaction } = decode(write(), { networks: ['eip155:1', devnet] });
    expect(transaction).toMatchObject({ network: devnet, effects: [{ asset: `${devnet}/slip44:501` }] });
  });

  it('is durable by its first four bytes alone, as the runtime has it', () => {
    // A nonce instruction whose accounts come from a table is durable to older runtimes.
    const data = [4, 0, 0, 0];
    const advance = { program: 2, accounts: [3, 1, 0], data };
    const message = write({ ...withTable, instructions: [advance, TRANSFER] });
    expect(decode(message).transaction).toMatchObject({
      features: ['solana:address-table', 'solana:durable-nonce'],
      effects: [{ type: 'unknown' }, { type: 'transfer' }],
    });
  });

  it('names the features of a table even where no instruction uses its accounts', () => {
    expect(decode(write(withTable)).transaction.features).toEqual(['solana:address-table']);
  });

  it.each([
    ['no limit', [], 200_000n * 1n, 5000n],
    ['a limit alone', [unitLimit(77)], 77n, 5000n],
    ['a limit beyond the chain’s', [unitLimit(1_400_001)], 1_400_000n, 5000n],
    ['a price alone', [[3, 0x40, 0x42, 0x0f, 0, 0, 0, 0, 0]], 400_000n, 405_000n],
    [
      'the highest price',
      [[3, ...Array.from({ length: 8 }, () => 255)], unitLimit(1_400_000)],
      1_400_000n,
      null,
    ],
  ])('costs at most, with %s', (_, data, gas, amount) => {
    const { transaction } = decode(write(budget(...data)));
    expect(transaction.gas).toBe(gas);
    // In lamports of 64 bits the runtime saturates.
    expect(transaction.fee?.amount).toBe(amount ?? 5000n + 2n ** 64n - 1n);
  });

  it('throws nothing but its own error for an empty message', () => {
    expect(() => decode(new Uint8Array())).toThrow(TransactionError);
  });
});
