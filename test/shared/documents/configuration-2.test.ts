import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../shared/documents/configuration.ts';
import {
  CAROL,
  condition,
  DAVE,
  denial,
  ETHER,
  makeConfiguration2,
  MAINNET,
  permit,
} from './sample-rules.ts';

const parse = (document: object) => parseConfiguration(Buffer.from(JSON.stringify(document)));
const parseRule = (rule: object) => parse({ ...makeConfiguration2(), rules: [rule] });
const LIMIT = { id: 'daily', asset: ETHER, max: '5', seconds: 60, per: 'client', fees: false } as const;
const PASSKEY = {
  type: 'passkey',
  algorithm: 'ES256',
  credentialId: 'AQID',
  publicKey: `02${'ab'.repeat(32)}`,
  relyingParty: 'approve.example',
  origins: ['https://approve.example'],
};

describe('a configuration of format 2', () => {
  it('is read as it stands', () => {
    const document = makeConfiguration2({ rules: [permit(), denial()] });
    expect(parse(document)).toEqual(document);
  });

  it('takes passkeys, tiers of approvals and witnesses', () => {
    const approvals = { all: [{ group: 'treasurers', count: 2 }], expiresSeconds: 3600 };
    const tiers = [
      {
        asset: ETHER,
        steps: [
          { max: '5', approvals: null },
          { max: null, approvals },
        ],
      },
    ];
    const document = {
      ...makeConfiguration2({ rules: [permit({ tiers, approvals })], approverGroups: [] }),
      approvers: [{ id: 'ann', credentials: [PASSKEY] }],
      approverGroups: [{ id: 'treasurers', approvers: ['ann'] }],
      witnesses: { threshold: 1, keys: [`w.example/1+dace1a7f+${'A'.repeat(44)}`], maxUncosignedSeconds: 0 },
    };
    expect(parse(document)).toEqual(document);
  });

  it.each<[string, object]>([
    [
      'with a client that does not say who stands behind it',
      { clients: [{ id: 'backend', publicKey: '01'.repeat(32) }] },
    ],
    [
      'with a person who is no approver',
      { clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: 'joe' }] },
    ],
    [
      'with a client whose key is an approver’s',
      { clients: [{ id: 'backend', publicKey: 'aa'.repeat(32), person: null }] },
    ],
    ['with a group that is a client, too', { clientGroups: [{ id: 'backend', clients: ['backend'] }] }],
    ['with a group of unknown clients', { clientGroups: [{ id: 'all', clients: ['joe'] }] }],
    ['with a group of nobody', { approverGroups: [{ id: 'none', approvers: [] }] }],
    ['with a group of unknown approvers', { approverGroups: [{ id: 'treasurers', approvers: ['joe'] }] }],
    [
      'with a group that counts somebody twice',
      { approverGroups: [{ id: 'treasurers', approvers: ['ann', 'ann'] }] },
    ],
    ['without a word on witnesses', { witnesses: undefined }],
    ['with a key that says nothing of networks', { keys: [{ id: 'hot', type: 'secp256k1' }] }],
    [
      'with a key of two Bitcoins',
      {
        keys: [
          {
            id: 'hot',
            type: 'secp256k1',
            networks: [`bip122:${'0'.repeat(32)}`, `bip122:${'1'.repeat(32)}`],
          },
        ],
      },
    ],
    ['with a misspelt network', { keys: [{ id: 'hot', type: 'secp256k1', networks: ['eip115:1'] }] }],
    [
      'with one key of two people',
      {
        approvers: ['ann', 'bob'].map((id) => ({
          id,
          credentials: [{ type: 'ed25519', publicKey: 'aa'.repeat(32) }],
        })),
      },
    ],
    [
      'with one passkey of two people',
      {
        approvers: [
          { id: 'ann', credentials: [PASSKEY] },
          { id: 'bob', credentials: [{ ...PASSKEY, publicKey: `03${'ab'.repeat(32)}` }] },
        ],
      },
    ],
    [
      'with a raw key for ES256',
      { approvers: [{ id: 'ann', credentials: [{ ...PASSKEY, publicKey: 'ab'.repeat(32) }] }] },
    ],
    [
      'with an origin that is a page',
      { approvers: [{ id: 'ann', credentials: [{ ...PASSKEY, origins: ['https://a.example/'] }] }] },
    ],
  ])('is refused %s', (_, change) => {
    const people = { clients: [], clientGroups: [], approverGroups: [], rules: [] };
    const rest = 'approvers' in change ? people : { rules: [] };
    expect(() => parse({ ...makeConfiguration2(), ...rest, ...change })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });
});

describe('an address book', () => {
  const book = (...addresses: string[]) => ({
    ...makeConfiguration2({ rules: [] }),
    addressBooks: [
      {
        id: 'book',
        network: MAINNET,
        entries: addresses.map((address, index) => ({ label: `entry ${index}`, address })),
      },
    ],
  });

  it('takes Ethereum addresses with their checksum, or in lower case', () => {
    expect(parse(book(CAROL, DAVE.toLowerCase())).addressBooks[0]?.entries).toHaveLength(2);
  });

  it.each([
    ['with a wrong checksum', [CAROL.replace('5aA', '5Aa')]],
    ['in upper case', [`0x${CAROL.slice(2).toUpperCase()}`]],
    ['one digit short', [CAROL.slice(0, -1).toLowerCase()]],
    ['of another chain', ['tz1burnburnburnburnburnburnburjAYjjX']],
    ['twice, in two spellings', [CAROL, CAROL.toLowerCase()]],
  ])('is refused with an address %s', (_, addresses) => {
    expect(() => parse(book(...addresses))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });
});

describe('a rule of format 2', () => {
  it.each(Object.keys(permit()))('is refused without %s', (member) => {
    expect(() => parseRule({ ...permit(), [member]: undefined })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });

  it.each(Object.keys(denial()))('that denies is refused without %s', (member) => {
    expect(() => parseRule({ ...denial(), [member]: undefined })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });

  it.each<[string, object]>([
    ['an unknown member', { ...permit(), note: 'x' }],
    ['a limit of a denial', { ...denial(), rate: null }],
    ['a permit of every effect', permit({ effects: null as never })],
    ['no condition', permit({ effects: [] })],
    ['an unknown client', permit({ clients: ['joe'] })],
    ['an unknown key', permit({ keys: ['lost'] })],
    ['an unknown book', permit({ effects: [condition({ to: { books: ['joe'], addresses: [] } })] })],
    ['destinations that name nobody', permit({ effects: [condition({ to: { books: [], addresses: [] } })] })],
    [
      'an address without its network',
      permit({ effects: [condition({ to: { books: [], addresses: [CAROL] } })] }),
    ],
    ['an asset of no known network', permit({ effects: [condition({ assets: ['eip115:1/slip44:60'] })] })],
    ...[
      'eip155:1/slip44:6O',
      'eip155:1/slip44:61',
      `eip155:1/erc1155:${CAROL}`,
      `eip155:1/erc1155:${CAROL}/07`,
      `eip155:1/erc20:${CAROL}/7`,
      'bip122:000000000019d6689c085ae165831e93/slip44:1',
      'bip122:000000000933ea01ad0ee984209779ba/slip44:0',
      'tezos:NetXdQprcVkpaWU/fa2:KT1VqarPDicMFn1ejmQqqshUkUXTCTXwmkCN',
      'tezos:NetXdQprcVkpaWU/fa12:tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb',
      'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/spl:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
    ].map((name): [string, object] => [
      `an asset that no transaction has: ${name}`,
      permit({ effects: [condition({ assets: [name] })] }),
    ]),
    ['an amount as a number', permit({ effects: [condition({ amount: { min: null, max: 5 as never } })] })],
    ['an amount with a leading zero', permit({ effects: [condition({ amount: { min: null, max: '05' } })] })],
    ['an amount of nothing', permit({ effects: [condition({ amount: { min: null, max: null } })] })],
    ['bounds in the wrong order', permit({ effects: [condition({ amount: { min: '6', max: '5' } })] })],
    ['an unknown group', permit({ approvals: { all: [{ group: 'joes', count: 1 }], expiresSeconds: 60 } })],
    [
      'a group twice',
      permit({
        approvals: {
          all: [
            { group: 'security', count: 1 },
            { group: 'security', count: 1 },
          ],
          expiresSeconds: 60,
        },
      }),
    ],
    ['approvals of nobody', permit({ approvals: { all: [], expiresSeconds: 60 } })],
    [
      'a night as one window',
      permit({
        time: { days: null, hours: { from: '22:00', to: '06:00' }, notBefore: null, notAfter: null },
      }),
    ],
    [
      'a time that limits nothing',
      permit({ time: { days: null, hours: null, notBefore: null, notAfter: null } }),
    ],
    [
      'tiers out of order',
      permit({
        tiers: [
          {
            asset: ETHER,
            steps: [
              { max: '5', approvals: null },
              { max: '5', approvals: null },
            ],
          },
        ],
      }),
    ],
    [
      'a tier after the one without a maximum',
      permit({
        tiers: [
          {
            asset: ETHER,
            steps: [
              { max: null, approvals: null },
              { max: '5', approvals: null },
            ],
          },
        ],
      }),
    ],
  ])('is refused with %s', (_, rule) => {
    expect(() => parseRule(rule)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }));
  });

  it('takes the assets that decoders name', () => {
    const assets = [
      ETHER,
      ...['erc20', 'erc721', 'token'].map((standard) => `eip155:10/${standard}:${CAROL}`),
      `eip155:1/erc1155:${CAROL}/0`,
      `eip155:1/erc1155:${CAROL}/78`,
      'bip122:000000000019d6689c085ae165831e93/slip44:0',
      'bip122:000000000933ea01ad0ee984209779ba/slip44:1',
      'tezos:NetXdQprcVkpaWU/slip44:1729',
      'tezos:NetXdQprcVkpaWU/fa12:KT1VqarPDicMFn1ejmQqqshUkUXTCTXwmkCN',
      'tezos:NetXdQprcVkpaWU/fa2:KT1VqarPDicMFn1ejmQqqshUkUXTCTXwmkCN/0',
      'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501',
      'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
    ];
    expect(parseRule(permit({ effects: [condition({ assets })] })).rules).toHaveLength(1);
  });

  it('shares a limit only in the same words, and never one that counts for its own rule', () => {
    const twice = (first: object, second: object) =>
      parse({
        ...makeConfiguration2(),
        rules: [
          permit({ limits: [{ ...LIMIT, ...first }] }),
          permit({ id: 'b', limits: [{ ...LIMIT, ...second }] }),
        ],
      });
    expect(twice({}, {}).rules).toHaveLength(2);
    for (const [first, second] of [
      [{}, { max: '6' }],
      [{}, { fees: true }],
      [{ per: 'rule' }, { per: 'rule' }],
    ] as const) {
      expect(() => twice(first, second)).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
      );
    }
  });
});

describe('the quorum of a configuration', () => {
  const pcrs = { 0: 'a'.repeat(96), 1: 'b'.repeat(96), 2: 'c'.repeat(96) };
  const peer = { node: 2, manifest: 'd'.repeat(96), images: [{ pcrs, notAfter: '2027-01-01T00:00:00Z' }] };
  const quorum = { peers: [peer], servesAlone: ['hot'], refreshHours: 24 };
  const parseQuorum = (changes: object) =>
    parse({ ...makeConfiguration2(), quorum: { ...quorum, ...changes } });

  it('is read as it stands', () => {
    expect(parseQuorum({}).quorum).toEqual(quorum);
  });

  it.each<[string, object]>([
    ['with a key to serve alone that nobody holds', { servesAlone: ['other'] }],
    ['with the node itself among its peers', { peers: [{ ...peer, manifest: '00'.repeat(48) }] }],
    ['with a node that is named twice', { peers: [peer, { ...peer, manifest: 'e'.repeat(96) }] }],
    ['with a manifest that is named twice', { peers: [peer, { ...peer, node: 3 }] }],
    ['without peers', { peers: [] }],
    ['with a peer that may run no image', { peers: [{ ...peer, images: [] }] }],
    [
      'with an image without PCR1',
      { peers: [{ ...peer, images: [{ pcrs: { 0: pcrs[0], 2: pcrs[2] }, notAfter: null }] }] },
    ],
    ['with an end that is no time', { peers: [{ ...peer, images: [{ pcrs, notAfter: 'tomorrow' }] }] }],
    ['with a member that nobody knows', { threshold: 2 }],
  ])('%s is refused', (_, changes) => {
    expect(() => parseQuorum(changes)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }));
  });
});
