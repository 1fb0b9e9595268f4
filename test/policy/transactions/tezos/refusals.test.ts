import { describe, expect, it } from 'vitest';
import { MAX_MICHELINE_DEPTH, MAX_PAYLOAD_BYTES } from '../../../../policy/transactions/tezos/limits.ts';
import {
  ACCOUNTS,
  BLS_KEY,
  BLS_SIGNATURE,
  call,
  type Content,
  CONTRACT,
  contextOf,
  EVERY_KIND,
  forge,
  MAINNET,
  manager,
  micheline,
  OTHER,
  outcomeOf,
  PROTOCOL,
  SOURCE,
  transaction,
} from './samples.ts';

/** Where the first operation's fee stands: first byte, branch, tag, source. */
const FEE = 1 + 32 + 1 + 21;

const forged = async (...contents: readonly Content[]) => Buffer.from(`03${await forge(...contents)}`, 'hex');
const outcomeOfBytes = (bytes: Uint8Array) => outcomeOf(Buffer.from(bytes).toString('hex'));
const outcomeOfForged = async (...contents: readonly Content[]) => outcomeOfBytes(await forged(...contents));

/** Replaces `length` bytes at an offset. */
function splice(bytes: Uint8Array, at: number, length: number, replacement: Iterable<number>): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...replacement, ...bytes.subarray(at + length)]);
}

/** Offsets of the last bytes of numbers that stand one behind the other. */
function ends(bytes: Uint8Array, start: number, count: number): number[] {
  const found: number[] = [];
  for (let at = start; found.length < count; at += 1) if ((bytes[at] ?? 0) < 0x80) found.push(at);
  return found;
}

/** Writes the number that ends at an offset with a byte more. */
function alias(bytes: Uint8Array, end: number): Uint8Array {
  return splice(bytes, end, 1, [(bytes[end] ?? 0) | 0x80, 0]);
}

/** Parameters in bytes, behind the flag: each is spliced into a call of the default entrypoint with the integer 0. */
async function withParameters(hex: string): Promise<Uint8Array> {
  const bytes = await forged(call('default', micheline.int(0)));
  return splice(bytes, bytes.length - 8, 8, Buffer.from(hex, 'hex'));
}
const valued = (hex: string) => `ff00${(hex.length / 2).toString(16).padStart(8, '0')}${hex}`;

describe('numbers that are longer than they have to be', () => {
  const KINDS: readonly (readonly [string, Content, number])[] = [
    ['transaction', transaction(), 5],
    ['delegation', EVERY_KIND['delegation to another'] ?? transaction(), 4],
    ['reveal', EVERY_KIND['reveal'] ?? transaction(), 4],
    ['origination', EVERY_KIND['origination'] ?? transaction(), 5],
    ['increase_paid_storage', EVERY_KIND['increase_paid_storage'] ?? transaction(), 5],
  ];
  it.each(KINDS)('are refused in each field of a %s', async (_kind, content, count) => {
    const bytes = await forged(content);
    for (const end of ends(bytes, FEE, count)) {
      expect(outcomeOfBytes(alias(bytes, end))).toBe('TRANSACTION_NOT_CANONICAL');
    }
  });

  it('are refused in a limit of deposits and in the amount of a ticket', async () => {
    const limit = await forged({ kind: 'set_deposits_limit', ...manager(), limit: '9' });
    expect(outcomeOfBytes(alias(limit, limit.length - 1))).toBe('TRANSACTION_NOT_CANONICAL');
    const ticket = await forged(EVERY_KIND['transfer_ticket'] ?? transaction());
    const amount = ticket.length - 'default'.length - 4 - 22 - 1;
    expect(ticket[amount]).toBe(5);
    expect(outcomeOfBytes(alias(ticket, amount))).toBe('TRANSACTION_NOT_CANONICAL');
  });

  it.each(['008000', '00c000', '0040', '00bf8000', '00818000'])(
    'are refused in Micheline: %s',
    async (integer) => {
      expect(outcomeOfBytes(await withParameters(valued(integer)))).toBe('TRANSACTION_NOT_CANONICAL');
    },
  );

  it.each(['0000', '0001', '0041', '008001', '00bfff01'])(
    'have a twin that is taken: %s',
    async (integer) => {
      expect(outcomeOfBytes(await withParameters(valued(integer)))).toBe('accepted');
    },
  );

  it('are refused beyond the bytes that a number may have', async () => {
    const bytes = await forged(transaction());
    const [end = 0] = ends(bytes, FEE, 1);
    const long = splice(bytes, end, 1, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
    expect(outcomeOfBytes(long)).toBe('TRANSACTION_TOO_LARGE');
    const integer = `00${'ff'.repeat(1024)}01`;
    expect(outcomeOfBytes(await withParameters(valued(integer)))).toBe('TRANSACTION_TOO_LARGE');
  });
});

describe('bytes of paid storage, which the protocol has as a signed integer', () => {
  it.each([
    ['0a', 'accepted'],
    ['a401', 'accepted'],
    ['00', 'TRANSACTION_UNSAFE'],
    ['40', 'TRANSACTION_NOT_CANONICAL'],
    ['41', 'TRANSACTION_UNSAFE'],
    ['8a00', 'TRANSACTION_NOT_CANONICAL'],
    [`bf${'ff'.repeat(8)}01`, 'accepted'],
    [`80${'80'.repeat(8)}02`, 'TRANSACTION_UNSAFE'],
  ])('%s', async (amount, code) => {
    const bytes = await forged(EVERY_KIND['increase_paid_storage'] ?? transaction());
    expect(outcomeOfBytes(splice(bytes, bytes.length - 23, 1, Buffer.from(amount, 'hex')))).toBe(code);
  });
});

describe('spellings that the chain has no use for', () => {
  it.each([
    ['the default entrypoint with unit, by tag', 'ff0000000002030b', 'TRANSACTION_NOT_CANONICAL'],
    [
      'the default entrypoint with unit, by name',
      'ffff0764656661756c7400000002030b',
      'TRANSACTION_NOT_CANONICAL',
    ],
    ['the default entrypoint by name', 'ffff0764656661756c74000000020001', 'TRANSACTION_NOT_CANONICAL'],
    ['a tagged entrypoint by name', 'ffff02646f00000002030b', 'TRANSACTION_NOT_CANONICAL'],
    [
      'unit with empty lists of arguments and annotations',
      'ff000000000a090b0000000000000000',
      'TRANSACTION_NOT_CANONICAL',
    ],
    ['unit with an empty annotation', 'ff0200000006040b00000000', 'TRANSACTION_NOT_CANONICAL'],
    ['a pair in the general form', 'ff020000000e0907000000040001000100000000', 'TRANSACTION_NOT_CANONICAL'],
    ['parameters that are one byte shorter than said', 'ff00000000030001', 'TRANSACTION_MALFORMED'],
    ['parameters that are one byte longer than said', 'ff00000000010001', 'TRANSACTION_MALFORMED'],
    ['a value and another one behind it', 'ff000000000400010001', 'TRANSACTION_MALFORMED'],
    ['a flag that is none', '01', 'TRANSACTION_MALFORMED'],
    ['an entrypoint of no known tag', 'ff0a00000002030b', 'TRANSACTION_MALFORMED'],
    ['an entrypoint without a name', 'ffff0000000002030b', 'TRANSACTION_MALFORMED'],
    ['an entrypoint of 32 characters', `ffff20${'61'.repeat(32)}00000002030b`, 'TRANSACTION_MALFORMED'],
    ['an entrypoint with a space', 'ffff0361206200000002030b', 'TRANSACTION_MALFORMED'],
    ['an entrypoint that begins with a percent sign', 'ffff02256100000002030b', 'TRANSACTION_MALFORMED'],
    ['an entrypoint that is not ASCII', 'ffff02c3a400000002030b', 'TRANSACTION_MALFORMED'],
    ['an unknown primitive', valued('03a1'), 'TRANSACTION_MALFORMED'],
    ['an unknown node', valued('0b00'), 'TRANSACTION_MALFORMED'],
    ['a string with a character that Michelson has not', valued('010000000109'), 'TRANSACTION_MALFORMED'],
    ['a string that is not ASCII', valued('0100000002c3a4'), 'TRANSACTION_MALFORMED'],
    ['two spaces between annotations', valued('040b00000006256120202562'), 'TRANSACTION_MALFORMED'],
    ['an annotation with a quote', valued('040b000000022522'), 'TRANSACTION_MALFORMED'],
    ['a sequence longer than what is around it', valued('02000000030001'), 'TRANSACTION_MALFORMED'],
    ['a sequence of 4 GiB', valued('02ffffffff0001'), 'TRANSACTION_MALFORMED'],
  ])('%s', async (_name, parameters, code) => {
    expect(outcomeOfBytes(await withParameters(parameters))).toBe(code);
  });

  it.each([
    ['an entrypoint of 31 characters', `ffff1f${'61'.repeat(31)}00000002030b`],
    ['the default entrypoint with a number, by tag', 'ff00000000020001'],
    ['an annotated unit', 'ff0200000008040b000000022561'],
    ['the last primitive', valued('03a0')],
    ['a string with a line feed', valued('01000000010a')],
  ])('have twins that are taken: %s', async (_name, parameters) => {
    expect(outcomeOfBytes(await withParameters(parameters))).toBe('accepted');
  });

  it('a padding of contracts that is not zero', async () => {
    const bytes = await forged(transaction({ destination: CONTRACT }));
    const padding = bytes.length - 2;
    expect(bytes[padding]).toBe(0);
    expect(outcomeOfBytes(splice(bytes, padding, 1, [1]))).toBe('TRANSACTION_NOT_CANONICAL');
  });

  it('tags of addresses, curves and operations that are none', async () => {
    const bytes = await forged(transaction());
    expect(outcomeOfBytes(splice(bytes, 34, 1, [4]))).toBe('TRANSACTION_MALFORMED');
    expect(outcomeOfBytes(splice(bytes, bytes.length - 23, 1, [2]))).toBe('TRANSACTION_MALFORMED');
    expect(outcomeOfBytes(splice(bytes, 33, 1, [0xff]))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it('expressions that are nested too deeply, and none that is just not', async () => {
    const nested = (depth: number) => `${'0506'.repeat(depth - 1)}0000`;
    expect(outcomeOfBytes(await withParameters(valued(nested(MAX_MICHELINE_DEPTH))))).toBe('accepted');
    for (const depth of [MAX_MICHELINE_DEPTH + 1, 16_000]) {
      expect(outcomeOfBytes(await withParameters(valued(nested(depth))))).toBe('TRANSACTION_TOO_LARGE');
    }
  });
});

describe('bytes that are missing or too many', () => {
  it.each(Object.entries(EVERY_KIND))(
    '%s with any of its ends dropped, or one more byte',
    async (_name, content) => {
      const bytes = await forged(content);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(outcomeOfBytes(bytes.subarray(0, length))).not.toBe('accepted');
      }
      for (const byte of [0, 1, 0x6c, 0xff]) {
        expect(outcomeOfBytes(Buffer.concat([bytes, Buffer.of(byte)]))).not.toBe('accepted');
      }
    },
  );

  it('a payload of one byte more than the chain takes', async () => {
    const script = { code: [], storage: { bytes: '' } };
    const empty = await forged({ kind: 'origination', ...manager(), balance: '0', script });
    const fill = (length: number) => ({ bytes: '00'.repeat(length - empty.length) });
    const sized = (length: number) =>
      outcomeOfForged({
        kind: 'origination',
        ...manager(),
        balance: '0',
        script: { ...script, storage: fill(length) },
      });
    expect(await sized(MAX_PAYLOAD_BYTES)).toBe('accepted');
    expect(await sized(MAX_PAYLOAD_BYTES + 1)).toBe('TRANSACTION_TOO_LARGE');
  });

  it('more effects than a transaction may have', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => transaction(manager(index)));
    expect(await outcomeOfForged(...many(128))).toBe('accepted');
    expect(await outcomeOfForged(...many(129))).toBe('TRANSACTION_TOO_LARGE');
  });
});

describe('operations that are not read', () => {
  it.each([
    { kind: 'activate_account', pkh: OTHER, secret: '00'.repeat(20) },
    { kind: 'seed_nonce_revelation', level: 1, nonce: '00'.repeat(32) },
  ])('$kind', async (content) => {
    expect(await outcomeOfForged(content)).toBe('TRANSACTION_UNSUPPORTED');
  });

  it.each([1, 2, 3, 4, 8, 20, 21, 23, 24, 30, 31, 202, 203, 204, 205, 207, 250, 251, 252])(
    'tag %i, also behind one that is read',
    async (tag) => {
      const first = await forged(transaction());
      expect(outcomeOfBytes(Buffer.concat([first.subarray(0, 33), Buffer.of(tag)]))).toBe(
        'TRANSACTION_UNSUPPORTED',
      );
      expect(outcomeOfBytes(Buffer.concat([first, Buffer.of(tag)]))).toBe('TRANSACTION_UNSUPPORTED');
    },
  );

  it.each([0x01, 0x02, 0x04, 0x05, 0x11, 0x12, 0x13, 0x80])('the first byte %i', async (first) => {
    expect(outcomeOfBytes(splice(await forged(transaction()), 0, 1, [first]))).toBe('TRANSACTION_MALFORMED');
  });
});

describe('what the chain refuses, or takes a fee for', () => {
  const tz3 = ACCOUNTS['ecdsa-p256-sha256'];
  const own = (
    entrypoint: string,
    fields: Readonly<Record<string, unknown>>,
    value: unknown = micheline.unit,
  ) => transaction({ destination: SOURCE, parameters: { entrypoint, value }, ...fields });

  it.each<readonly [string, readonly Content[], string]>([
    ['no operation', [], 'TRANSACTION_UNSAFE'],
    ['counters that stay', [transaction(), transaction()], 'TRANSACTION_UNSAFE'],
    ['counters that leave one out', [transaction(), transaction(manager(43))], 'TRANSACTION_UNSAFE'],
    ['counters that fall', [transaction(), transaction(manager(40))], 'TRANSACTION_UNSAFE'],
    ['two sources', [transaction(), transaction(manager(42, OTHER))], 'TRANSACTION_KEY_MISMATCH'],
    ['the source of another curve', [transaction({ source: tz3.address })], 'TRANSACTION_KEY_MISMATCH'],
    [
      'a foreign consensus key',
      [{ kind: 'drain_delegate', consensus_key: OTHER, delegate: SOURCE, destination: SOURCE }],
      'TRANSACTION_KEY_MISMATCH',
    ],
    [
      'a foreign reveal',
      [{ kind: 'reveal', ...manager(), public_key: tz3.publicKey }],
      'TRANSACTION_KEY_MISMATCH',
    ],
    [
      'a reveal that does not come first',
      [transaction(), { kind: 'reveal', ...manager(42), public_key: ACCOUNTS.ed25519.publicKey }],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a reveal with a proof that its key has not',
      [{ ...(EVERY_KIND['reveal'] as Content), proof: BLS_SIGNATURE }],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a BLS key without its proof',
      [{ kind: 'update_consensus_key', ...manager(), pk: BLS_KEY }],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a companion key of another curve',
      [{ kind: 'update_companion_key', ...manager(), pk: tz3.publicKey }],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a ballot beside another operation',
      [EVERY_KIND['ballot'] as Content, transaction()],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a ballot behind another operation',
      [transaction(), EVERY_KIND['ballot'] as Content],
      'TRANSACTION_UNSAFE',
    ],
    ['no proposal', [{ ...(EVERY_KIND['proposals'] as Content), proposals: [] }], 'TRANSACTION_UNSAFE'],
    [
      'more proposals than the chain takes',
      [{ ...(EVERY_KIND['proposals'] as Content), proposals: Array.from({ length: 21 }, () => PROTOCOL) }],
      'TRANSACTION_UNSAFE',
    ],
    ['a negative period', [{ ...(EVERY_KIND['ballot'] as Content), period: -1 }], 'TRANSACTION_UNSAFE'],
    ['an amount of 2^63', [transaction({ amount: String(2n ** 63n) })], 'TRANSACTION_UNSAFE'],
    ['a fee of 2^63', [transaction({ fee: String(2n ** 63n) })], 'TRANSACTION_UNSAFE'],
    ['a counter of 2^63', [transaction({ counter: String(2n ** 63n) })], 'TRANSACTION_UNSAFE'],
    ['a gas limit of 2^63', [transaction({ gas_limit: String(2n ** 63n) })], 'TRANSACTION_UNSAFE'],
    ['a storage limit of 2^63', [transaction({ storage_limit: String(2n ** 63n) })], 'TRANSACTION_UNSAFE'],
    [
      'a limit of deposits of 2^63',
      [{ kind: 'set_deposits_limit', ...manager(), limit: String(2n ** 63n) }],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a balance of 2^63',
      [{ ...(EVERY_KIND['origination'] as Content), balance: String(2n ** 63n) }],
      'TRANSACTION_UNSAFE',
    ],
    ['nothing to an account', [transaction({ amount: '0' })], 'TRANSACTION_UNSAFE'],
    [
      'a parameter to an account',
      [transaction({ parameters: { entrypoint: 'default', value: micheline.int(1) } })],
      'TRANSACTION_UNSAFE',
    ],
    [
      'an entrypoint of an account',
      [transaction({ parameters: { entrypoint: 'mint', value: micheline.unit } })],
      'TRANSACTION_UNSAFE',
    ],
    ['a stake for another', [own('stake', { destination: OTHER })], 'TRANSACTION_UNSAFE'],
    ['an unstake for another', [own('unstake', { destination: OTHER })], 'TRANSACTION_UNSAFE'],
    [
      'delegate parameters for another',
      [{ ...(EVERY_KIND['set_delegate_parameters'] as Content), destination: OTHER }],
      'TRANSACTION_UNSAFE',
    ],
    ['a stake of nothing', [own('stake', { amount: '0' })], 'TRANSACTION_UNSAFE'],
    ['a stake with a parameter', [own('stake', {}, micheline.int(1))], 'TRANSACTION_UNSAFE'],
    ['a finalisation with an amount', [own('finalize_unstake', {})], 'TRANSACTION_UNSAFE'],
    [
      'delegate parameters of another shape',
      [own('set_delegate_parameters', { amount: '0' }, micheline.int(1))],
      'TRANSACTION_UNSAFE',
    ],
    [
      'a ticket of nothing',
      [{ ...(EVERY_KIND['transfer_ticket'] as Content), ticket_amount: '0' }],
      'TRANSACTION_UNSAFE',
    ],
  ])('%s', async (_name, contents, code) => {
    expect(await outcomeOfForged(...contents)).toBe(code);
  });

  it.each<readonly [string, readonly Content[]]>([
    ['numbers of 2^63 − 1', [transaction({ fee: String(2n ** 63n - 1n), amount: String(2n ** 63n - 1n) })]],
    ['a finalisation for another', [own('finalize_unstake', { destination: OTHER, amount: '0' })]],
  ])('but not %s', async (_name, contents) => {
    expect(await outcomeOfForged(...contents)).toBe('accepted');
  });
});

describe('networks and keys', () => {
  it.each<readonly [string, readonly string[]]>([
    ['none', []],
    ['none of Tezos', ['eip155:1']],
    ['two of Tezos', [MAINNET, 'tezos:NetXnHfVqm9iesp']],
  ])('a key of %s', async (_name, networks) => {
    const hex = (await forged(transaction())).toString('hex');
    expect(outcomeOf(hex, contextOf('ed25519', networks))).toBe('TRANSACTION_NETWORK_MISMATCH');
  });

  it('an algorithm without accounts, and a key of another curve with the same bytes', async () => {
    const hex = (await forged(transaction())).toString('hex');
    expect(outcomeOf(hex, { ...contextOf(), algorithm: 'bip340' })).toBe('TRANSACTION_KEY_MISMATCH');
    expect(outcomeOf(hex, { ...contextOf(), algorithm: 'ecdsa-p256-sha256' })).toBe(
      'TRANSACTION_KEY_MISMATCH',
    );
    expect(outcomeOf(hex, { ...contextOf(), algorithm: 'frost-ed25519' })).toBe('accepted');
  });
});
