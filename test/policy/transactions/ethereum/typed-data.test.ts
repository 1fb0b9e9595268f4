import { TypedDataEncoder } from 'ethers';
import { describe, expect, it } from 'vitest';
import { MAX_BATCH_TOKENS } from '../../../../policy/transactions/ethereum/effects.ts';
import { decodeDocument, digestOf, refusalOf, OTHER, SOURCE, TOKEN } from './support.ts';
import { type Document, DOMAIN, EVERYTHING, fields, MAIL, makeDocument, PERMIT } from './typed-documents.ts';

/** Copies a document and changes the copy. */
function change(document: Document, edit: (copy: Document) => void): Document {
  const copy = structuredClone(document);
  edit(copy);
  return copy;
}

function digestByEthers({ types, domain, message }: Document): string {
  const { EIP712Domain: _, ...others } = types;
  return TypedDataEncoder.hash(domain, others, message);
}

describe('a typed-data document', () => {
  it('has the digest that EIP-712 gives for its example', () => {
    expect(digestOf(decodeDocument(MAIL))).toBe(
      '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2',
    );
  });

  it.each([
    ['nested structs', MAIL],
    ['each kind of field', EVERYTHING],
    ['a permit', PERMIT],
    ['a salt alone', makeDocument({ A: 'bool a' }, 'A', { a: false }, { salt: `0x${'01'.repeat(32)}` })],
    ['a name alone', makeDocument({ A: 'bool a' }, 'A', { a: false }, { name: '' })],
    ['an empty list of structs', makeDocument({ A: 'B[] b', B: 'bool a' }, 'A', { b: [] })],
  ])('of %s has the digest of ethers', (_, document) => {
    expect(digestOf(decodeDocument(document))).toBe(digestByEthers(document));
  });

  it('is one message: the contract, the primary type, and its values by path', () => {
    expect(decodeDocument(MAIL).transaction).toMatchObject({
      kind: 'ethereum-typed-data',
      network: 'eip155:1',
      source: SOURCE,
      effects: [
        {
          type: 'message',
          contract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
          selector: 'Mail',
          to: null,
          asset: null,
          amount: null,
          details: {
            type: 'Mail(Person from,Person to,string contents)Person(string name,address wallet)',
            'message.from.name': 'Cow',
            'message.to.wallet': '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB',
            'message.contents': 'Hello, Bob!',
          },
        },
      ],
      features: [],
      details: { 'domain.name': 'Ether Mail', 'domain.chainId': '1' },
    });
  });

  it('shows every value in one notation', () => {
    const [effect] = decodeDocument(EVERYTHING).transaction.effects;
    expect(effect?.details).toMatchObject({
      'message.flag': 'true',
      'message.negative': '-1',
      'message.raw': '0xabcd',
      'message.text': '0x1234 ünï',
      'message.who': OTHER,
      'message.leaves[1].small': '127',
      'message.pairs[1][1]': '4',
      'message.texts': '[]',
    });
  });

  it('says how many values it does not show', () => {
    const numbers = Array.from({ length: 70 }, (_, index) => index);
    const [effect] = decodeDocument(makeDocument({ A: 'uint8[] a' }, 'A', { a: numbers })).transaction
      .effects;
    expect(effect?.details).toMatchObject({ 'message.a[63]': '63', omitted: '6' });
    expect(effect?.details).not.toHaveProperty('message.a[64]');
  });
});

describe('the domain of a document', () => {
  it('without a chain id has to be named, and has no network', () => {
    const document = makeDocument({ A: 'bool a' }, 'A', { a: true }, { name: 'x' });
    expect(decodeDocument(document).transaction).toMatchObject({
      network: null,
      features: ['ethereum:typed-data-any-chain'],
      effects: [{ contract: null }],
    });
    expect(refusalOf(() => decodeDocument(document, ['tezos:NetXdQprcVkpaWU']))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  it.each([0, 2, '56'])('of chain %j is refused', (chainId) => {
    const document = change(MAIL, ({ domain }) => void (domain['chainId'] = chainId));
    expect(refusalOf(() => decodeDocument(document, ['eip155:0', 'eip155:1']))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  const refused: readonly (readonly [string, (document: Document) => void])[] = [
    ['no declaration', ({ types }) => void delete types['EIP712Domain']],
    ['an empty declaration', ({ types }) => void (types['EIP712Domain'] = [])],
    ['a key that the type lacks', ({ types }) => void types['EIP712Domain']?.pop()],
    ['a field that the domain lacks', ({ domain }) => void delete domain['version']],
    ['another order', ({ types }) => void types['EIP712Domain']?.reverse()],
    [
      'another type',
      ({ types }) =>
        void (types['EIP712Domain'] = fields(
          'string name,string version,uint64 chainId,address verifyingContract',
        )),
    ],
    [
      'an unknown key',
      ({ types, domain }) => {
        types['EIP712Domain']?.push({ name: 'extra', type: 'string' });
        domain['extra'] = 'x';
      },
    ],
    [
      'a key that is declared twice',
      ({ types }) => void types['EIP712Domain']?.push({ name: 'name', type: 'string' }),
    ],
    [
      'no field at all',
      (document) => {
        document.types['EIP712Domain'] = [];
        document.domain = {};
      },
    ],
    ['null', (document) => void (document.domain = null as never)],
    ['a list', (document) => void (document.domain = [] as never)],
    ['a chain id that is too wide', ({ domain }) => void (domain['chainId'] = String(2n ** 256n))],
    ['a chain id in hex', ({ domain }) => void (domain['chainId'] = '0x1')],
    ['a contract that is no address', ({ domain }) => void (domain['verifyingContract'] = '0x01')],
    [
      'a contract with a wrong checksum',
      ({ domain }) => void (domain['verifyingContract'] = TOKEN.replace('A', 'a')),
    ],
  ];
  it.each(refused)('with %s is refused', (_, edit) => {
    expect(refusalOf(() => decodeDocument(change(MAIL, edit)))).toBe('TRANSACTION_MALFORMED');
  });
});

describe('the types of a document', () => {
  const withType = (type: string, value: unknown) => makeDocument({ A: `${type} a` }, 'A', { a: value });

  it.each([
    'uint',
    'int',
    'uint7',
    'uint264',
    'int0',
    'uint08',
    'bytes0',
    'bytes33',
    'byte',
    'fixed',
    'ufixed128x18',
    'function',
    'Missing',
    'EIP712Domain',
    '',
    'uint8[0]',
    'uint8[-1]',
    'uint8[01]',
    'uint8[',
    'uint8]',
    '[]',
    'bool ',
    'Bool',
  ])('with a field of type %j is refused', (type) => {
    const document = makeDocument({}, 'A', { a: 1 });
    document.types['A'] = [{ name: 'a', type }];
    expect(refusalOf(() => decodeDocument(document))).toBe('TRANSACTION_MALFORMED');
  });

  const refused: readonly (readonly [string, (document: Document) => void])[] = [
    ['a type that nothing uses', ({ types }) => void (types['Unused'] = fields('bool a'))],
    ['a type without fields', ({ types }) => void (types['Person'] = [])],
    ['a field that stands twice', ({ types }) => void types['Mail']?.push({ name: 'to', type: 'Person' })],
    [
      'a field that stands twice and a value that no field declares',
      ({ types, message }) => {
        types['Mail']?.push({ name: 'to', type: 'Person' });
        message['more'] = message['to'];
      },
    ],
    [
      'the domain as the type of a field',
      ({ types, message, domain }) => {
        types['Mail']?.push({ name: 'more', type: 'EIP712Domain' });
        message['more'] = domain;
      },
    ],
    ['a field without a name', ({ types }) => void types['Mail']?.push({ name: '', type: 'bool' })],
    ['a name that is no identifier', ({ types }) => void types['Mail']?.push({ name: 'a b', type: 'bool' })],
    [
      'a name that closes the type',
      ({ types }) => void types['Mail']?.push({ name: 'a)Person(bool b', type: 'bool' }),
    ],
    [
      'a further key in a field',
      ({ types }) => void types['Mail']?.push({ name: 'x', type: 'bool', more: 1 } as never),
    ],
    ['a field that is a string', ({ types }) => void types['Mail']?.push('bool x' as never)],
    ['a type that is a number', ({ types }) => void types['Mail']?.push({ name: 'x', type: 1 } as never)],
    ['a primary type that is not declared', (document) => void (document.primaryType = 'Other')],
    ['the domain as primary type', (document) => void (document.primaryType = 'EIP712Domain')],
    ['a primary type of an inherited name', (document) => void (document.primaryType = 'constructor')],
    ['no primary type', (document) => void delete (document as Partial<Document>).primaryType],
    ['no message', (document) => void delete (document as Partial<Document>).message],
    ['no types', (document) => void (document.types = [] as never)],
    ['a further key', (document) => void Object.assign(document, { more: 1 })],
  ];
  it.each(refused)('with %s are refused', (_, edit) => {
    expect(refusalOf(() => decodeDocument(change(MAIL, edit)))).toBe('TRANSACTION_MALFORMED');
  });

  it.each([
    'uint256',
    'bytes',
    'address',
    'bool',
    'string',
    'int',
    'bytes64',
    'uint7',
    'a b',
    '0A',
    'A[]',
    '$A',
    '_A',
  ])('with a struct named %j are refused', (name) => {
    const document = makeDocument({ [name]: 'bool a' }, name, { a: true });
    expect(refusalOf(() => decodeDocument(document))).toBe('TRANSACTION_MALFORMED');
  });

  it('that contain themselves are refused, over lists too', () => {
    const own = makeDocument({ A: 'A[] a' }, 'A', { a: [] });
    const mutual = makeDocument({ A: 'B b', B: 'A[] a' }, 'A', { b: { a: [] } });
    for (const document of [own, mutual])
      expect(refusalOf(() => decodeDocument(document))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it('that share a struct are no cycle', () => {
    const document = makeDocument({ A: 'B b,C c', B: 'C c', C: 'bool x' }, 'A', {
      b: { c: { x: true } },
      c: { x: false },
    });
    expect(digestOf(decodeDocument(document))).toBe(digestByEthers(document));
  });

  it('are bounded in number, fields and dimensions', () => {
    const names = Array.from({ length: 32 }, (_, index) => `T${index}`);
    const chain = Object.fromEntries(
      names.map((name, index) => [name, index === 31 ? 'bool a' : `T${index + 1} a`]),
    );
    expect(refusalOf(() => decodeDocument(makeDocument(chain, 'T0', {})))).toBe('TRANSACTION_TOO_LARGE');
    const many = Array.from({ length: 65 }, (_, index) => `bool a${index}`).join(',');
    expect(refusalOf(() => decodeDocument(makeDocument({ A: many }, 'A', {})))).toBe('TRANSACTION_TOO_LARGE');
    expect(refusalOf(() => decodeDocument(withType('bool[][][][][]', [])))).toBe('TRANSACTION_TOO_LARGE');
    expect(digestOf(decodeDocument(withType('bool[][][][]', [[[[true]]]])))).toMatch(/^0x/);
  });
});

describe('a value of a document', () => {
  const withValue = (type: string, value: unknown) =>
    makeDocument({ A: `${type} a`, ...(type.startsWith('S') ? { S: 'bool b' } : {}) }, 'A', { a: value });

  it.each([
    ['bool', ['true', 'false', 0, 1, '', null, [], {}]],
    ['string', [1, true, null, ['a'], {}]],
    [
      'uint8',
      ['', ' 1', '1 ', '01', '+1', '-0', '0x1', '1e2', '1.0', 1.5, -1, 256, '256', true, null, [], {}, '-1'],
    ],
    ['int8', [128, -129, '128', '-129', '--1']],
    ['uint256', [String(2n ** 256n), `1${'0'.repeat(78)}`]],
    ['int256', [String(2n ** 255n), String(-(2n ** 255n) - 1n)]],
    ['bytes', ['', '0', '0x0', 'ab', '0xgg', '0Xab', 1, [1, 2], null, {}, 'text']],
    ['bytes2', ['0x', '0x01', '0x010203', '0102']],
    [
      'address',
      [
        '0x',
        SOURCE.slice(2),
        `${SOURCE}00`,
        SOURCE.replace('E', 'e'),
        'vitalik.eth',
        1,
        null,
        SOURCE.replace('0x', '0X'),
      ],
    ],
    ['uint8[]', ['1', { 0: 1 }, null, [null], [[1]], 1]],
    ['uint8[2]', [[], [1], [1, 2, 3]]],
    ['S', [null, [], 'b', {}, { b: true, c: 1 }, { c: true }, [true]]],
    ['S[]', [[null], [{}], [[]], {}]],
  ] as const)('of type %s refuses whatever is not in its one notation', (type, values) => {
    for (const value of values)
      expect(refusalOf(() => decodeDocument(withValue(type, value)))).toBe('TRANSACTION_MALFORMED');
  });

  it.each([
    ['bool', [true, false]],
    ['uint8', [0, 255, '0', '255']],
    ['int8', [-128, '-128', 127]],
    ['bytes', ['0x', '0xAb', '0x00']],
    ['string', ['', '0xab', '\u0000', '𝕏']],
    ['address', [SOURCE, SOURCE.toLowerCase(), `0x${SOURCE.slice(2).toUpperCase()}`]],
  ] as const)('of type %s is taken in its notation', (type, values) => {
    for (const value of values) {
      const document = withValue(type, value);
      expect(digestOf(decodeDocument(document))).toBe(digestByEthers(document));
    }
  });

  it('is missing or one too many: the document is refused', () => {
    for (const edit of [
      ({ message }: Document) => void delete message['from'],
      ({ message }: Document) => void (message['more'] = 1),
      ({ message }: Document) => void delete (message['from'] as Record<string, unknown>)['wallet'],
      ({ message }: Document) => void ((message['from'] as Record<string, unknown>)['more'] = 1),
    ])
      expect(refusalOf(() => decodeDocument(change(MAIL, edit)))).toBe('TRANSACTION_MALFORMED');
  });

  it('is one of at most 1,024', () => {
    const with_ = (length: number) =>
      withValue(
        'uint8[]',
        Array.from({ length }, () => 0),
      );
    // The domain with its four values, the message and the list.
    expect(decodeDocument(with_(1024 - 7)).transaction.effects).toHaveLength(1);
    expect(refusalOf(() => decodeDocument(with_(1024 - 6)))).toBe('TRANSACTION_TOO_LARGE');
  });
});

describe('the text of a document', () => {
  const text = JSON.stringify(MAIL);
  it.each([
    ['nothing', '', 'TRANSACTION_MALFORMED'],
    ['a list', '[]', 'TRANSACTION_MALFORMED'],
    ['null', 'null', 'TRANSACTION_MALFORMED'],
    ['text after it', `${text}x`, 'TRANSACTION_MALFORMED'],
    ['a key twice', text.replace('"domain":', '"domain":{},"domain":'), 'TRANSACTION_MALFORMED'],
    ['a value twice', text.replace('"contents":', '"contents":"a","contents":'), 'TRANSACTION_MALFORMED'],
    ['an unsafe integer', text.replace('"chainId":1', '"chainId":9007199254740993'), 'TRANSACTION_MALFORMED'],
    ['half a surrogate pair', text.replace('Hello', '\\ud800'), 'TRANSACTION_MALFORMED'],
    ['__proto__', text.replace('"contents":', '"__proto__":{},"contents":'), 'TRANSACTION_MALFORMED'],
    ['more than 16 KiB', text.replace('Hello', 'a'.repeat(16 * 1024)), 'TRANSACTION_TOO_LARGE'],
    [
      'more than 16 KiB in UTF-8 alone',
      text.replace('Hello', '世'.repeat(6 * 1024)),
      'TRANSACTION_TOO_LARGE',
    ],
    ['seventeen lists', '['.repeat(17), 'TRANSACTION_TOO_LARGE'],
  ])('with %s is refused', (_, document, code) => {
    expect(refusalOf(() => decodeDocument(document))).toBe(code);
  });

  it('that ends anywhere is refused', () => {
    for (let length = 0; length < text.length; length += 7)
      expect(refusalOf(() => decodeDocument(text.slice(0, length)))).toBe('TRANSACTION_MALFORMED');
  });
});

describe('a permit', () => {
  const ERC20 = `eip155:1/erc20:${TOKEN}`;
  const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
  const permit2Domain = { name: 'Permit2', chainId: 1, verifyingContract: PERMIT2 };
  const details = { token: TOKEN, amount: '5', expiration: 9, nonce: 1 };
  const DETAILS = { PermitDetails: 'address token,uint160 amount,uint48 expiration,uint48 nonce' };
  const PERMISSIONS = { TokenPermissions: 'address token,uint256 amount' };
  const permitted = { token: TOKEN, amount: '5' };
  const rest = { spender: OTHER, nonce: 1, deadline: 9 };
  const authorization = {
    from: SOURCE,
    to: OTHER,
    value: '5',
    validAfter: 0,
    validBefore: 9,
    nonce: `0x${'00'.repeat(32)}`,
  };
  const ERC3009 =
    'address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce';
  const dai = (allowed: boolean) =>
    makeDocument(
      { Permit: 'address holder,address spender,uint256 nonce,uint256 expiry,bool allowed' },
      'Permit',
      {
        holder: SOURCE,
        spender: OTHER,
        nonce: 0,
        expiry: 9,
        allowed,
      },
    );
  const single = (amount: bigint) =>
    makeDocument(
      { PermitSingle: 'PermitDetails details,address spender,uint256 sigDeadline', ...DETAILS },
      'PermitSingle',
      { details: { ...details, amount: String(amount) }, spender: OTHER, sigDeadline: 9 },
      permit2Domain,
    );
  const batch = (length: number) =>
    makeDocument(
      {
        PermitBatchTransferFrom:
          'TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline',
        ...PERMISSIONS,
      },
      'PermitBatchTransferFrom',
      { permitted: Array.from({ length }, () => permitted), ...rest },
      permit2Domain,
    );

  it.each([
    ['ERC-2612', PERMIT, [{ type: 'allowance', asset: ERC20, amount: 1000n, contract: TOKEN }]],
    ['DAI', dai(true), [{ type: 'allowance', asset: ERC20, amount: null, contract: TOKEN }]],
    ['DAI, taken back', dai(false), [{ type: 'allowance', asset: ERC20, amount: 0n, contract: TOKEN }]],
    [
      'ERC-4494',
      makeDocument({ Permit: 'address spender,uint256 tokenId,uint256 nonce,uint256 deadline' }, 'Permit', {
        spender: OTHER,
        tokenId: 77,
        nonce: 0,
        deadline: 9,
      }),
      [
        {
          type: 'allowance',
          asset: `eip155:1/erc721:${TOKEN}`,
          amount: 1n,
          contract: TOKEN,
          details: { tokenId: '77' },
        },
      ],
    ],
    [
      'Permit2, single',
      single(5n),
      [{ type: 'allowance', asset: ERC20, amount: 5n, contract: PERMIT2, details: { expiration: '9' } }],
    ],
    [
      'Permit2, batch',
      makeDocument(
        { PermitBatch: 'PermitDetails[] details,address spender,uint256 sigDeadline', ...DETAILS },
        'PermitBatch',
        { details: [details, { ...details, token: OTHER, amount: 6 }], spender: OTHER, sigDeadline: 9 },
        permit2Domain,
      ),
      [
        { type: 'allowance', asset: ERC20, amount: 5n, contract: PERMIT2 },
        { type: 'allowance', asset: `eip155:1/erc20:${OTHER}`, amount: 6n, contract: PERMIT2 },
      ],
    ],
    [
      'Permit2, transfer',
      makeDocument(
        {
          PermitTransferFrom: 'TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline',
          ...PERMISSIONS,
        },
        'PermitTransferFrom',
        { permitted, ...rest },
        permit2Domain,
      ),
      [{ type: 'allowance', asset: ERC20, amount: 5n, contract: PERMIT2 }],
    ],
    [
      'Permit2, batch of transfers',
      batch(1),
      [{ type: 'allowance', asset: ERC20, amount: 5n, contract: PERMIT2 }],
    ],
    [
      'ERC-3009',
      makeDocument({ TransferWithAuthorization: ERC3009 }, 'TransferWithAuthorization', authorization),
      [{ type: 'transfer', asset: ERC20, amount: 5n, contract: TOKEN }],
    ],
    [
      'ERC-3009, received',
      makeDocument({ ReceiveWithAuthorization: ERC3009 }, 'ReceiveWithAuthorization', authorization),
      [{ type: 'transfer', asset: ERC20, amount: 5n, contract: TOKEN }],
    ],
  ])('of %s is named as what it is', (_, document, effects) => {
    const { transaction, ...decoded } = decodeDocument(document);
    expect(transaction.effects).toHaveLength(effects.length);
    expect(transaction.effects).toMatchObject(
      effects.map((effect) => ({ to: OTHER, selector: document.primaryType, ...effect })),
    );
    const isEndless = effects.some(({ amount }) => amount === null);
    expect(transaction.features).toEqual(isEndless ? ['ethereum:unlimited-allowance'] : []);
    expect(digestOf({ transaction, ...decoded })).toBe(digestByEthers(document));
  });

  it('of as good as no end has to be named', () => {
    const permit = (value: bigint) =>
      change(PERMIT, ({ message }) => void (message['value'] = String(value)));
    const unlimited = ['ethereum:unlimited-allowance'];
    for (const value of [2n ** 255n, 2n ** 256n - 1n])
      expect(decodeDocument(permit(value)).transaction).toMatchObject({
        features: unlimited,
        effects: [{ amount: value }],
      });
    expect(decodeDocument(permit(2n ** 255n - 1n)).transaction.features).toEqual([]);
    for (const amount of [2n ** 159n, 2n ** 160n - 1n])
      expect(decodeDocument(single(amount)).transaction.features).toEqual(unlimited);
    expect(decodeDocument(single(2n ** 159n - 1n)).transaction.features).toEqual([]);
  });

  it('of what belongs to another account has to be named', () => {
    const document = change(PERMIT, ({ message }) => void (message['owner'] = OTHER));
    expect(decodeDocument(document).transaction.features).toEqual(['ethereum:foreign-funds']);
  });

  it('with a witness is an allowance and a message', () => {
    const document = makeDocument(
      {
        PermitWitnessTransferFrom:
          'TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Order witness',
        Order: 'uint256 price',
        ...PERMISSIONS,
      },
      'PermitWitnessTransferFrom',
      { permitted, ...rest, witness: { price: 3 } },
      permit2Domain,
    );
    expect(decodeDocument(document).transaction.effects).toMatchObject([
      { type: 'allowance', asset: ERC20, amount: 5n, to: OTHER },
      { type: 'message', selector: 'PermitWitnessTransferFrom', details: { 'message.witness.price': '3' } },
    ]);
  });

  it('of nothing is a message, and one of too much is refused', () => {
    expect(decodeDocument(batch(0)).transaction.effects).toMatchObject([{ type: 'message' }]);
    expect(decodeDocument(batch(MAX_BATCH_TOKENS)).transaction.effects).toHaveLength(MAX_BATCH_TOKENS);
    expect(refusalOf(() => decodeDocument(batch(MAX_BATCH_TOKENS + 1)))).toBe('TRANSACTION_TOO_LARGE');
  });

  it('without a chain or a contract has no asset', () => {
    const document = makeDocument(
      { Permit: 'address owner,address spender,uint256 value,uint256 nonce,uint256 deadline' },
      'Permit',
      PERMIT.message,
      { name: 'x' },
    );
    expect(decodeDocument(document).transaction.effects).toMatchObject([
      { type: 'allowance', asset: null, contract: null },
    ]);
  });

  it.each([
    ['another width', 'address owner,address spender,uint128 value,uint256 nonce,uint256 deadline'],
    ['another order', 'address spender,address owner,uint256 value,uint256 nonce,uint256 deadline'],
    ['a field more', 'address owner,address spender,uint256 value,uint256 nonce,uint256 deadline,bool more'],
  ])('with %s is a message: its type is compared to the letter', (_, text) => {
    const message = text.includes('more') ? { ...PERMIT.message, more: true } : PERMIT.message;
    const [effect, ...others] = decodeDocument(makeDocument({ Permit: text }, 'Permit', message)).transaction
      .effects;
    expect(others).toEqual([]);
    expect(effect).toMatchObject({
      type: 'message',
      selector: 'Permit',
      contract: DOMAIN.verifyingContract,
      amount: null,
    });
  });
});
