import { encodeRlp, getCreateAddress, keccak256 } from 'ethers';
import { describe, expect, it } from 'vitest';
import { MAX_ETHEREUM_TRANSACTION_BYTES } from '../../../../policy/transactions/ethereum/transaction.ts';
import { MAX_AUTHORIZATIONS, MAX_BLOBS } from '../../../../policy/transactions/ethereum/validity.ts';
import { decodePayload } from '../../../../policy/transactions/index.ts';
import { MAX_TRANSACTION_BYTES } from '../../../../shared/api/payloads.ts';
import {
  AUTHORITY,
  bare,
  decodeTransaction,
  digestOf,
  encodeTransaction,
  refusalOf,
  makeContext,
  type Item,
  OTHER,
  signAuthorization,
  SOURCE,
  TOKEN,
  TRANSACTIONS,
} from './support.ts';

const TYPES = Object.keys(TRANSACTIONS);
const FEE_TYPES = TYPES.filter((type) => TRANSACTIONS[type]?.names.includes('maxFeePerGas'));
const COIN = 'eip155:1/slip44:60';

describe('an unsigned transaction', () => {
  it.each(TYPES)('of type %s is read, and its own bytes are hashed', (type) => {
    const bytes = encodeTransaction(type);
    const decoded = decodeTransaction(bytes);
    expect(digestOf(decoded)).toBe(keccak256(`0x${bytes}`));
    expect(decoded.transaction).toMatchObject({
      kind: 'ethereum-transaction',
      network: 'eip155:1',
      source: SOURCE,
      nonce: 9n,
      effects: [{ type: 'transfer', to: TOKEN, asset: COIN }, ...(type === 'EIP-7702' ? [{}] : [])],
    });
  });

  it('states the most that it can cost: gas, and blobs', () => {
    expect(decodeTransaction(encodeTransaction('legacy')).transaction).toMatchObject({
      fee: { asset: COIN, amount: 21_000n * 20_000_000_000n },
      gas: 21_000n,
    });
    expect(decodeTransaction(encodeTransaction('EIP-4844')).transaction).toMatchObject({
      fee: { asset: COIN, amount: 30_000n * 20_000_000_000n + 131_072n * 7n },
      features: ['ethereum:blobs'],
    });
  });

  it('of no amount and no data is a transfer of nothing', () => {
    const { effects } = decodeTransaction(encodeTransaction('EIP-1559', { value: '0x' })).transaction;
    expect(effects).toMatchObject([{ type: 'transfer', to: TOKEN, amount: 0n }]);
  });

  it('with an amount and data is a transfer and a call', () => {
    const { effects } = decodeTransaction(encodeTransaction('EIP-1559', { data: '0xdeadbeef' })).transaction;
    expect(effects).toMatchObject([
      { type: 'transfer', to: TOKEN, asset: COIN, amount: 1n },
      { type: 'call', contract: TOKEN, selector: '0xdeadbeef', asset: null, amount: null, to: null },
    ]);
  });

  it('without a recipient creates a contract, whose address is known', () => {
    const created = getCreateAddress({ from: SOURCE, nonce: 9 });
    const { transaction } = decodeTransaction(encodeTransaction('EIP-1559', { to: '0x', data: '0x6000' }));
    expect(transaction.effects).toMatchObject([
      { type: 'transfer', to: created, amount: 1n },
      { type: 'deploy', to: null, contract: created },
    ]);
    expect(transaction.features).toEqual(['ethereum:creation']);
  });

  it('says that something stands twice in its access list', () => {
    const entry: Item = [TOKEN, []];
    const key = `0x${'ab'.repeat(32)}`;
    for (const accessList of [[entry, entry], [[TOKEN, [key, key]]]]) {
      const { features } = decodeTransaction(encodeTransaction('EIP-2930', { accessList })).transaction;
      expect(features).toEqual(['ethereum:duplicate-access-list']);
    }
  });
});

describe('the network of a transaction', () => {
  const chains = [
    ['27', '0x1b'],
    ['28', '0x1c'],
    ['35', '0x23'],
    ['36', '0x24'],
    ['37', '0x25'],
    ['56', '0x38'],
    ['137', '0x8189'],
    ['an unsafe integer', `0x${'11'.repeat(20)}`],
  ] as const;

  it.each(chains)('of chain %s is refused unless the key serves it, in each type', (_, chainId) => {
    const id = BigInt(chainId === '0x8189' ? 0x8189 : chainId);
    for (const type of TYPES.filter((name) => name !== 'EIP-7702')) {
      const bytes = encodeTransaction(type, { chainId });
      expect(refusalOf(() => decodeTransaction(bytes, ['eip155:1']))).toBe('TRANSACTION_NETWORK_MISMATCH');
      expect(decodeTransaction(bytes, ['eip155:1', `eip155:${id}`]).transaction.network).toBe(`eip155:${id}`);
    }
  });

  it.each(TYPES)('of chain 0 is refused for type %s whatever the key serves', (type) => {
    const bytes = encodeTransaction(type, { chainId: '0x' });
    expect(refusalOf(() => decodeTransaction(bytes, ['eip155:0', 'eip155:1']))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  it('is refused where the key serves other chains alone', () => {
    const networks = ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', 'eip155:11', 'eip155:01'];
    expect(refusalOf(() => decodeTransaction(encodeTransaction('legacy'), networks))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
    expect(refusalOf(() => decodeTransaction(encodeTransaction('legacy'), []))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });
});

describe('bytes that are not the one encoding of their fields', () => {
  const fields = TYPES.flatMap((type) =>
    (TRANSACTIONS[type]?.names ?? []).map((name, index) => [type, name, index] as const),
  );
  const itemOf = (type: string, index: number): Item => TRANSACTIONS[type]?.items[index] ?? '0x';

  it.each(fields)('%s: %s as the other kind of item is refused', (type, name, index) => {
    const other: Item = typeof itemOf(type, index) === 'string' ? [] : '0x';
    expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { [name]: other })))).toBe(
      'TRANSACTION_MALFORMED',
    );
  });

  const integers = fields.filter(
    ([, name]) => !['to', 'data', 'accessList', 'blobHashes', 'authorizations', 'r', 's'].includes(name),
  );
  it.each(integers)('%s: %s with a leading zero is refused', (type, name, index) => {
    const padded = `0x00${bare(itemOf(type, index) as string)}`;
    expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { [name]: padded })))).toBe(
      'TRANSACTION_NOT_CANONICAL',
    );
  });

  it.each(integers)('%s: %s as a zero byte is refused', (type, name) => {
    expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { [name]: '0x00' })))).toBe(
      'TRANSACTION_NOT_CANONICAL',
    );
  });

  it.each(integers)('%s: %s beyond its width is refused', (type, name) => {
    const digits = ['nonce', 'gas'].includes(name) ? 9 : 33;
    const wide = `0x01${'00'.repeat(digits - 1)}`;
    expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { [name]: wide })))).toBe(
      'TRANSACTION_MALFORMED',
    );
  });

  it.each(fields)('%s: surplus and missing items at %s are refused', (type, _, index) => {
    const { prefix, items } = TRANSACTIONS[type] ?? { prefix: '', items: [] };
    const surplus = [...items.slice(0, index), '0x01', ...items.slice(index)];
    const missing = items.filter((__, at) => at !== index);
    for (const list of [surplus, missing]) {
      expect(refusalOf(() => decodeTransaction(prefix + bare(encodeRlp(list as never))))).toBe(
        'TRANSACTION_MALFORMED',
      );
    }
  });

  it.each(TYPES)('%s: bytes after the list, or a list that ends too early, are refused', (type) => {
    const bytes = encodeTransaction(type);
    expect(refusalOf(() => decodeTransaction(`${bytes}00`))).toBe('TRANSACTION_MALFORMED');
    for (let length = 1; length < bytes.length / 2; length += 1) {
      expect(refusalOf(() => decodeTransaction(bytes.slice(0, 2 * length)))).toMatch(
        /^TRANSACTION_(?:MALFORMED|NOT_CANONICAL)$/,
      );
    }
  });

  it.each(TYPES)('%s: a length in a longer form than it needs is refused', (type) => {
    const bytes = encodeTransaction(type);
    const { prefix } = TRANSACTIONS[type] ?? { prefix: '' };
    const [, header = '', content = ''] = /^(f8..|[c-e].|f[0-7])(.*)$/.exec(bytes.slice(prefix.length)) ?? [];
    const length = (content.length / 2).toString(16);
    expect(header).not.toBe('');
    for (const size of [1, 2, 3, 8]) {
      const longer = `${(0xf7 + size).toString(16)}${length.padStart(2 * size, '0')}`;
      if (longer === header) continue;
      expect(refusalOf(() => decodeTransaction(prefix + longer + content))).toBe('TRANSACTION_NOT_CANONICAL');
    }
  });

  it('a single byte with a header of its own is refused', () => {
    const bytes = encodeTransaction('EIP-1559');
    // The nonce 09 as 81 09, and the length of the list one more.
    const content = bytes.slice(6).replace(/^0109/, '018109');
    const length = (content.length / 2).toString(16);
    expect(refusalOf(() => decodeTransaction(`02f8${length}${content}`))).toBe('TRANSACTION_NOT_CANONICAL');
  });

  it('lengths of 2^64 and near it are refused without an allocation', () => {
    for (const header of ['ffffffffffffffffff', 'ff0000000100000000', 'bfffffffffffffffff', 'fbffffffff']) {
      expect(refusalOf(() => decodeTransaction(`02${header}`))).toBe('TRANSACTION_MALFORMED');
      expect(refusalOf(() => decodeTransaction(`02c9${header}`))).toBe('TRANSACTION_MALFORMED');
    }
  });

  it('r and s of the nine fields have to be empty', () => {
    for (const changes of [{ r: '0x01' }, { s: '0x01' }, { r: '0x00', s: '0x00' }] as Record<
      string,
      Item
    >[]) {
      expect(refusalOf(() => decodeTransaction(encodeTransaction('legacy', changes)))).toBe(
        'TRANSACTION_MALFORMED',
      );
    }
  });

  it('the six fields from before EIP-155 are refused', () => {
    const items = TRANSACTIONS['legacy']?.items.slice(0, 6);
    expect(refusalOf(() => decodeTransaction(bare(encodeRlp(items as never))))).toBe('TRANSACTION_MALFORMED');
  });

  it.each(['00', '05', '06', '7f', '80', 'bf'])('an envelope of type 0x%s is not read', (prefix) => {
    const { items } = TRANSACTIONS['EIP-1559'] ?? { items: [] };
    expect(refusalOf(() => decodeTransaction(prefix + bare(encodeRlp(items as never))))).toBe(
      'TRANSACTION_UNSUPPORTED',
    );
  });

  it('signed transactions are refused', () => {
    for (const type of TYPES.filter((name) => name !== 'legacy')) {
      const { prefix, items } = TRANSACTIONS[type] ?? { prefix: '', items: [] };
      const signed = [...items, '0x', '0x01', '0x01'];
      expect(refusalOf(() => decodeTransaction(prefix + bare(encodeRlp(signed as never))))).toBe(
        'TRANSACTION_MALFORMED',
      );
    }
    expect(
      refusalOf(() =>
        decodeTransaction(encodeTransaction('legacy', { chainId: '0x25', r: '0x01', s: '0x01' })),
      ),
    ).toBe('TRANSACTION_MALFORMED');
  });

  it('a blob transaction within its wrapper, of either version, is refused', () => {
    const items = TRANSACTIONS['EIP-4844']?.items.with(8, []) ?? [];
    for (const wrapper of [
      [items, [], [], []],
      [items, '0x01', [], [], []],
    ]) {
      expect(refusalOf(() => decodeTransaction(`03${bare(encodeRlp(wrapper as never))}`))).toBe(
        'TRANSACTION_MALFORMED',
      );
    }
  });
});

describe('canonical transactions that the chain refuses', () => {
  it.each(TYPES)('%s: the nonce 2^64 - 1 is refused (EIP-2681), the one before is not', (type) => {
    expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { nonce: '0xffffffffffffffff' })))).toBe(
      'TRANSACTION_UNSAFE',
    );
    const { nonce } = decodeTransaction(encodeTransaction(type, { nonce: '0xfffffffffffffffe' })).transaction;
    expect(nonce).toBe(2n ** 64n - 2n);
  });

  it.each(FEE_TYPES)('%s: a priority fee above the fee is refused, an equal one is not', (type) => {
    const with_ = (maxPriorityFeePerGas: string) => encodeTransaction(type, { maxPriorityFeePerGas });
    expect(refusalOf(() => decodeTransaction(with_('0x04a817c801')))).toBe('TRANSACTION_UNSAFE');
    expect(decodeTransaction(with_('0x04a817c800')).transaction.nonce).toBe(9n);
  });

  it('a cost of 2^256 wei is refused', () => {
    const maximum = `0x${'ff'.repeat(32)}`;
    for (const type of ['legacy', 'EIP-2930'])
      expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { gasPrice: maximum })))).toBe(
        'TRANSACTION_UNSAFE',
      );
    for (const type of FEE_TYPES) {
      expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { maxFeePerGas: maximum })))).toBe(
        'TRANSACTION_UNSAFE',
      );
      expect(refusalOf(() => decodeTransaction(encodeTransaction(type, { value: maximum })))).toBe(
        'TRANSACTION_UNSAFE',
      );
    }
    expect(
      refusalOf(() => decodeTransaction(encodeTransaction('EIP-4844', { maxFeePerBlobGas: maximum }))),
    ).toBe('TRANSACTION_UNSAFE');
    const free = { gasPrice: '0x', value: maximum };
    expect(decodeTransaction(encodeTransaction('legacy', free)).transaction.fee?.amount).toBe(0n);
  });

  it('blobs: none, too many, another version and no recipient are refused', () => {
    const blob = `0x01${'cd'.repeat(31)}`;
    for (const blobHashes of [
      [],
      Array.from({ length: MAX_BLOBS + 1 }, () => blob),
      [blob, `0x00${blob.slice(4)}`],
    ])
      expect(refusalOf(() => decodeTransaction(encodeTransaction('EIP-4844', { blobHashes })))).toBe(
        'TRANSACTION_UNSAFE',
      );
    expect(refusalOf(() => decodeTransaction(encodeTransaction('EIP-4844', { to: '0x' })))).toBe(
      'TRANSACTION_UNSAFE',
    );
    const most = { blobHashes: Array.from({ length: MAX_BLOBS }, () => blob) };
    expect(decodeTransaction(encodeTransaction('EIP-4844', most)).transaction.nonce).toBe(9n);
    expect(
      refusalOf(() => decodeTransaction(encodeTransaction('EIP-4844', { blobHashes: [`${blob}00`] }))),
    ).toBe('TRANSACTION_MALFORMED');
  });
});

describe('the authorisation list of a transaction', () => {
  const withList = (...authorizations: Item[]) => encodeTransaction('EIP-7702', { authorizations });
  const valid = signAuthorization({ chainId: 1, nonce: 3 });
  const withField = (index: number, item: Item) =>
    withList(valid.map((old, at) => (at === index ? item : old)));
  const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

  it('is one effect for each, which names whose account it is', () => {
    const { effects, features } = decodeTransaction(
      withList(valid, signAuthorization({ chainId: 0, nonce: 0 })),
    ).transaction;
    expect(effects.slice(1)).toMatchObject([
      {
        type: 'authorise-code',
        to: TOKEN,
        contract: AUTHORITY,
        details: { authority: AUTHORITY, chainId: '1' },
      },
      {
        type: 'authorise-code',
        to: TOKEN,
        contract: AUTHORITY,
        details: { authority: AUTHORITY, chainId: '0' },
      },
    ]);
    expect(features).toEqual(['ethereum:any-chain']);
  });

  it('is refused when empty, without a recipient, and when too long', () => {
    expect(refusalOf(() => decodeTransaction(withList()))).toBe('TRANSACTION_UNSAFE');
    expect(refusalOf(() => decodeTransaction(encodeTransaction('EIP-7702', { to: '0x' })))).toBe(
      'TRANSACTION_UNSAFE',
    );
    const many = Array.from({ length: MAX_AUTHORIZATIONS + 1 }, () => valid);
    expect(refusalOf(() => decodeTransaction(withList(...many)))).toBe('TRANSACTION_TOO_LARGE');
    expect(decodeTransaction(withList(...many.slice(1))).transaction.effects).toHaveLength(
      1 + MAX_AUTHORIZATIONS,
    );
  });

  it.each([0, 3, 5, 7])('is refused with %d items in an authorisation', (length) => {
    const items = [...valid, '0x01'].slice(0, length);
    expect(refusalOf(() => decodeTransaction(withList(items)))).toBe('TRANSACTION_MALFORMED');
  });

  it('is refused for another chain than the transaction, and for the nonce 2^64 - 1', () => {
    expect(refusalOf(() => decodeTransaction(withList(signAuthorization({ chainId: 10, nonce: 3 }))))).toBe(
      'TRANSACTION_UNSAFE',
    );
    expect(refusalOf(() => decodeTransaction(withField(2, '0xffffffffffffffff')))).toBe('TRANSACTION_UNSAFE');
  });

  const half = ORDER / 2n;
  it.each([
    ['a parity of 2', 3, '0x02'],
    ['a parity of 27', 3, '0x1b'],
    ['an r of zero', 4, '0x'],
    ['an r at the order', 4, `0x${ORDER.toString(16)}`],
    ['an r that is no point', 4, '0x05'],
    ['an s of zero', 5, '0x'],
    ['an s in the upper half', 5, `0x${(half + 1n).toString(16)}`],
  ])('is refused for %s', (_, index, item) => {
    expect(refusalOf(() => decodeTransaction(withField(index, item)))).toBe('TRANSACTION_UNSAFE');
  });

  it('is refused for the parities 2 and 3, which SEC 1 has for an r beyond the order', () => {
    for (let r = 1; r < 20; r += 1) {
      for (const parity of ['0x02', '0x03']) {
        const items = [...valid.slice(0, 3), parity, `0x${r.toString(16).padStart(2, '0')}`, valid[5] ?? ''];
        expect(refusalOf(() => decodeTransaction(withList(items)))).toBe('TRANSACTION_UNSAFE');
      }
    }
  });

  it('is taken with the largest s', () => {
    const { effects } = decodeTransaction(withField(5, `0x${half.toString(16)}`)).transaction;
    // Another s is another signer: what is shown is who the chain would say it is.
    expect(effects[1]?.contract).not.toBe(AUTHORITY);
  });

  it.each([0, 2, 3, 4, 5])('is refused for a leading zero in item %d', (index) => {
    const padded = `0x00${bare(valid[index] as string)}`;
    expect(refusalOf(() => decodeTransaction(withField(index, padded)))).toBe('TRANSACTION_NOT_CANONICAL');
  });

  it.each([0, 1, 2, 3, 4, 5])('is refused for a list as item %d', (index) => {
    expect(refusalOf(() => decodeTransaction(withField(index, [])))).toBe('TRANSACTION_MALFORMED');
  });
});

describe('the limits of a transaction', () => {
  it('are those of the request', () => {
    expect(MAX_ETHEREUM_TRANSACTION_BYTES).toBe(MAX_TRANSACTION_BYTES);
  });

  it('hold for bytes, items and nesting', () => {
    const room = MAX_ETHEREUM_TRANSACTION_BYTES - encodeTransaction('EIP-1559').length / 2 - 4;
    const data = `0x${'01'.repeat(room)}`;
    const longest = encodeTransaction('EIP-1559', { data });
    expect(longest.length / 2).toBeLessThanOrEqual(MAX_ETHEREUM_TRANSACTION_BYTES);
    expect(decodeTransaction(longest).transaction.effects).toHaveLength(2);
    expect(
      refusalOf(() => decodeTransaction(encodeTransaction('EIP-1559', { data: `${data}01010101010101` }))),
    ).toBe('TRANSACTION_TOO_LARGE');
    const keys = Array.from({ length: 2100 }, () => '0x');
    expect(
      refusalOf(() => decodeTransaction(encodeTransaction('EIP-1559', { accessList: [[OTHER, keys]] }))),
    ).toBe('TRANSACTION_TOO_LARGE');
    expect(
      refusalOf(() => decodeTransaction(encodeTransaction('EIP-1559', { accessList: [[OTHER, [[]]]] }))),
    ).toBe('TRANSACTION_TOO_LARGE');
  });

  it('refuse a bomb of 32 KiB of lists at once', () => {
    // Processor time, of which a busy machine takes no more.
    const started = process.cpuUsage();
    expect(refusalOf(() => decodeTransaction(`02f97ffc${'c0'.repeat(0x7ffc)}`))).toBe(
      'TRANSACTION_TOO_LARGE',
    );
    expect(process.cpuUsage(started).user).toBeLessThan(500_000);
  });
});

it('a key that is none on secp256k1 is refused', () => {
  const payload = { kind: 'ethereum-transaction', transaction: encodeTransaction('legacy') } as const;
  const publicKey = new Uint8Array(33).fill(5);
  expect(refusalOf(() => decodePayload(payload, { ...makeContext(), publicKey }))).toBe(
    'TRANSACTION_KEY_MISMATCH',
  );
  expect(refusalOf(() => decodePayload(payload, { ...makeContext(), algorithm: 'bip340' }))).toBe(
    'TRANSACTION_KEY_MISMATCH',
  );
});
