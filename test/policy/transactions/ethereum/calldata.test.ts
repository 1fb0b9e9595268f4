import { id, Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { MAX_BATCH_TOKENS } from '../../../../policy/transactions/ethereum/effects.ts';
import { bare, decodeTransaction, encodeTransaction, refusalOf, OTHER, SOURCE, TOKEN } from './support.ts';

const SIGNATURES = [
  'transfer(address,uint256)',
  'transferFrom(address,address,uint256)',
  'approve(address,uint256)',
  'increaseAllowance(address,uint256)',
  'decreaseAllowance(address,uint256)',
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
  'safeTransferFrom(address,address,uint256)',
  'safeTransferFrom(address,address,uint256,bytes)',
  'setApprovalForAll(address,bool)',
  'safeTransferFrom(address,address,uint256,uint256,bytes)',
  'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)',
] as const;
const ABI = new Interface(SIGNATURES.map((signature) => `function ${signature}`));
const WORD = `0x${'ab'.repeat(32)}`;
const MAXIMUM = 2n ** 256n - 1n;

const ARGUMENTS: Readonly<Record<(typeof SIGNATURES)[number], unknown[]>> = {
  'transfer(address,uint256)': [OTHER, 7n],
  'transferFrom(address,address,uint256)': [SOURCE, OTHER, 7n],
  'approve(address,uint256)': [OTHER, 7n],
  'increaseAllowance(address,uint256)': [OTHER, 7n],
  'decreaseAllowance(address,uint256)': [OTHER, 7n],
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': [SOURCE, OTHER, 7n, 9n, 27, WORD, WORD],
  'safeTransferFrom(address,address,uint256)': [SOURCE, OTHER, 7n],
  'safeTransferFrom(address,address,uint256,bytes)': [SOURCE, OTHER, 7n, '0x0102'],
  'setApprovalForAll(address,bool)': [OTHER, true],
  'safeTransferFrom(address,address,uint256,uint256,bytes)': [SOURCE, OTHER, 5n, 7n, '0x'],
  'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)': [
    SOURCE,
    OTHER,
    [5n, 6n],
    [7n, 8n],
    '0x01',
  ],
};

function encode(signature: (typeof SIGNATURES)[number], args: unknown[] = ARGUMENTS[signature]): string {
  return ABI.encodeFunctionData(signature, args);
}

/** Decodes a call of the token's contract without an amount of ether. */
function call(data: string) {
  return decodeTransaction(encodeTransaction('EIP-1559', { value: '0x', data })).transaction;
}

const token = (standard: string, rest = '') => `eip155:1/${standard}:${TOKEN}${rest}`;

describe('a call of a known function', () => {
  const expected: Readonly<Record<(typeof SIGNATURES)[number], object[]>> = {
    'transfer(address,uint256)': [{ type: 'transfer', asset: token('erc20'), amount: 7n }],
    'transferFrom(address,address,uint256)': [
      { type: 'transfer', asset: token('token'), amount: 7n, details: { from: SOURCE } },
    ],
    'approve(address,uint256)': [{ type: 'allowance', asset: token('token'), amount: 7n }],
    'increaseAllowance(address,uint256)': [{ type: 'allowance', asset: token('erc20'), amount: 7n }],
    'decreaseAllowance(address,uint256)': [
      { type: 'allowance', asset: token('erc20'), amount: 0n, details: { decreasedBy: '7' } },
    ],
    'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': [
      { type: 'allowance', asset: token('erc20'), amount: 7n, details: { owner: SOURCE, deadline: '9' } },
    ],
    'safeTransferFrom(address,address,uint256)': [
      { type: 'transfer', asset: token('erc721'), amount: 1n, details: { from: SOURCE, tokenId: '7' } },
    ],
    'safeTransferFrom(address,address,uint256,bytes)': [
      { type: 'transfer', asset: token('erc721'), amount: 1n, details: { from: SOURCE, tokenId: '7' } },
    ],
    'setApprovalForAll(address,bool)': [{ type: 'allowance', asset: token('token'), amount: null }],
    'safeTransferFrom(address,address,uint256,uint256,bytes)': [
      { type: 'transfer', asset: token('erc1155', '/5'), amount: 7n },
    ],
    'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)': [
      { type: 'transfer', asset: token('erc1155', '/5'), amount: 7n },
      { type: 'transfer', asset: token('erc1155', '/6'), amount: 8n },
    ],
  };

  it.each(SIGNATURES)('%s is described by what it does', (signature) => {
    const selector = id(signature).slice(0, 10);
    const { effects } = call(encode(signature));
    expect(effects).toHaveLength(expected[signature].length);
    expect(effects).toMatchObject(
      expected[signature].map((effect) => ({ to: OTHER, contract: TOKEN, selector, ...effect })),
    );
  });

  it('with an amount of ether is a transfer to the contract too', () => {
    const data = encode('transfer(address,uint256)');
    expect(decodeTransaction(encodeTransaction('EIP-1559', { data })).transaction.effects).toMatchObject([
      { type: 'transfer', to: TOKEN, asset: 'eip155:1/slip44:60', amount: 1n },
      { type: 'transfer', to: OTHER, asset: token('erc20'), amount: 7n },
    ]);
  });

  it('that ERC-20 and ERC-721 share is never an amount of an ERC-20 asset', () => {
    for (const signature of ['approve(address,uint256)', 'transferFrom(address,address,uint256)'] as const) {
      for (const effect of call(encode(signature)).effects) expect(effect.asset).not.toContain('erc20');
    }
  });

  it('that takes from another account has to be named', () => {
    const others = {
      'transferFrom(address,address,uint256)': [OTHER, SOURCE, 7n],
      'safeTransferFrom(address,address,uint256)': [OTHER, SOURCE, 7n],
      'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)': [
        OTHER,
        SOURCE,
        7n,
        9n,
        27,
        WORD,
        WORD,
      ],
    } as const;
    for (const [signature, args] of Object.entries(others)) {
      expect(call(encode(signature as never, [...args])).features).toEqual(['ethereum:foreign-funds']);
      expect(call(encode(signature as never)).features).toEqual([]);
    }
  });

  it.each([
    [2n ** 255n - 1n, []],
    [2n ** 255n, ['ethereum:unlimited-allowance']],
    [MAXIMUM, ['ethereum:unlimited-allowance']],
  ])('approving %d has features %j', (amount, features) => {
    const transaction = call(encode('approve(address,uint256)', [OTHER, amount]));
    expect(transaction).toMatchObject({ effects: [{ amount }], features });
    const permit = [SOURCE, OTHER, amount, 9n, 27, WORD, WORD];
    expect(
      call(encode('permit(address,address,uint256,uint256,uint8,bytes32,bytes32)', permit)),
    ).toMatchObject({
      effects: [{ amount }],
      features,
    });
  });

  it('approving all tokens is an allowance without an end, and taking that back is one of nothing', () => {
    expect(call(encode('setApprovalForAll(address,bool)')).features).toEqual([
      'ethereum:unlimited-allowance',
    ]);
    const taken = call(encode('setApprovalForAll(address,bool)', [OTHER, false]));
    expect(taken).toMatchObject({ effects: [{ type: 'allowance', amount: 0n }], features: [] });
  });

  it('that adds to an allowance has to be named', () => {
    expect(call(encode('increaseAllowance(address,uint256)')).features).toEqual([
      'ethereum:relative-allowance',
    ]);
  });

  it('with too many tokens is refused', () => {
    const numbers = (length: number) => Array.from({ length }, (_, index) => BigInt(index));
    const batch = (length: number) =>
      encode('safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)', [
        SOURCE,
        OTHER,
        numbers(length),
        numbers(length),
        '0x',
      ]);
    expect(call(batch(MAX_BATCH_TOKENS)).effects).toHaveLength(MAX_BATCH_TOKENS);
    expect(refusalOf(() => call(batch(MAX_BATCH_TOKENS + 1)))).toBe('TRANSACTION_TOO_LARGE');
  });
});

describe('a call of an unknown function', () => {
  it.each(['0x', '0xa9', '0xa9059c'])('of %s has no selector', (prefix) => {
    const data = prefix === '0x' ? '0x00' : prefix;
    expect(call(data)).toMatchObject({
      effects: [{ type: 'call', contract: TOKEN, selector: null, asset: null, amount: null }],
      features: [],
    });
  });

  it('is named by its selector', () => {
    expect(call('0xdeadbeef')).toMatchObject({
      effects: [{ type: 'call', selector: '0xdeadbeef' }],
      features: [],
    });
  });
});

describe('arguments that are not as the ABI encodes them', () => {
  /** Tells how a call is read: as nothing but its contract and its selector, or described. */
  const readingOf = (data: string) => {
    const { effects, features } = call(data);
    const [effect, ...others] = effects;
    const { type, contract, selector, to, asset, amount } = effect ?? {};
    const isUnknown = type === 'call' && contract === TOKEN && selector === data.slice(0, 10);
    const isEmpty = to === null && asset === null && amount === null && others.length === 0;
    return isUnknown && isEmpty ? features.join() : 'described';
  };
  const UNKNOWN = 'ethereum:noncanonical-calldata';

  it.each(SIGNATURES)('%s: of another length', (signature) => {
    const data = encode(signature);
    expect(readingOf(`${data}00`)).toBe(UNKNOWN);
    expect(readingOf(data.slice(0, -2))).toBe(UNKNOWN);
    expect(readingOf(`${data}${'00'.repeat(32)}`)).toBe(UNKNOWN);
    expect(readingOf(data.slice(0, 10))).toBe(UNKNOWN);
  });

  it.each(SIGNATURES)('%s: with dirt in the upper bytes of an address', (signature) => {
    const data = encode(signature);
    for (const at of [10, 10 + 2 * 11])
      expect(readingOf(`${data.slice(0, at)}01${data.slice(at + 2)}`)).toBe(UNKNOWN);
  });

  it('a flag of two, and a parity wider than a byte', () => {
    expect(readingOf(encode('setApprovalForAll(address,bool)').replace(/01$/, '02'))).toBe(UNKNOWN);
    const permit = encode('permit(address,address,uint256,uint256,uint8,bytes32,bytes32)');
    const at = 10 + 4 * 64;
    expect(readingOf(`${permit.slice(0, at)}01${permit.slice(at + 2)}`)).toBe(UNKNOWN);
  });

  const word = (value: number) => value.toString(16).padStart(64, '0');
  const head = `${word(0).slice(0, 24)}${bare(SOURCE)}${word(0).slice(0, 24)}${bare(OTHER)}`;
  it('offsets that overlap, swap, point into the head or far away', () => {
    const selector = '0x2eb2c2d6';
    const list = word(1) + word(7);
    const canonical = selector + head + word(0xa0) + word(0xe0) + word(0x120) + list + list + word(0);
    expect(call(canonical.toLowerCase()).effects).toMatchObject([{ type: 'transfer' }]);
    for (const [ids, amounts, bytes] of [
      [0xa0, 0xa0, 0x120],
      [0xe0, 0xa0, 0x120],
      [0xa0, 0xe0, 0x121],
      [0, 0xe0, 0x120],
      [0xa0, 0xe0, 0xfffffff],
    ] as const) {
      const tail = ids === 0 ? '' : list;
      expect(
        readingOf(
          `${selector}${head}${word(ids)}${word(amounts)}${word(bytes)}${list}${tail}${word(0)}`.toLowerCase(),
        ),
      ).toBe(UNKNOWN);
    }
    expect(
      readingOf(
        `${selector}${head}${word(0xa0)}${word(0xe0)}${'ff'.repeat(32)}${list}${list}${word(0)}`.toLowerCase(),
      ),
    ).toBe(UNKNOWN);
  });

  it('padding that is not zero', () => {
    expect(readingOf(encode('safeTransferFrom(address,address,uint256,bytes)').replace(/00$/, '01'))).toBe(
      UNKNOWN,
    );
  });

  it('lists of different lengths, and empty ones', () => {
    const batch = 'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)';
    expect(readingOf(encode(batch, [SOURCE, OTHER, [1n, 2n], [3n], '0x']))).toBe(UNKNOWN);
    expect(readingOf(encode(batch, [SOURCE, OTHER, [], [], '0x']))).toBe(UNKNOWN);
  });
});
