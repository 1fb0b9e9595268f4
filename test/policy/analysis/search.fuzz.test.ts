import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchDifferences } from '../../../policy/analysis/index.ts';
import {
  type ConfigurationDocument2,
  readConfiguration,
  type Rule,
} from '../../../shared/documents/configuration.ts';
import {
  CAROL,
  condition,
  DAVE,
  denial,
  ETHER,
  makeConfiguration2,
  MAINNET,
  permit,
} from '../../shared/documents/sample-rules.ts';

const NOW = Date.UTC(2026, 11, 2, 12);
const DAI = 'eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f';
const configure = (rules: Rule[], changes: Partial<ConfigurationDocument2> = {}) =>
  readConfiguration(makeConfiguration2({ rules, ...changes }));
const search = (before: Rule[], after: Rule[], changes: Partial<ConfigurationDocument2> = {}) =>
  searchDifferences(configure(before, changes), configure(after, changes), NOW);
const limit = (max: string) =>
  ({ id: 'day', asset: ETHER, max, seconds: 60, per: 'key', fees: true }) as const;
const to = (...addresses: string[]) => ({
  effects: [condition({ to: { books: [], addresses: addresses.map((each) => `${MAINNET}:${each}`) } })],
});
const approvals = (count: number) => ({ all: [{ group: 'treasurers', count }], expiresSeconds: 60 });
const tiers = (max: string) => [
  {
    asset: ETHER,
    steps: [
      { max, approvals: null },
      { max: null, approvals: approvals(2) },
    ],
  },
];
const window = (changes: object) => ({
  days: null,
  hours: null,
  notBefore: null,
  notAfter: null,
  ...changes,
});

describe('a search for differences', () => {
  /** Each second list permits more than the first. */
  const GRANTS: [string, object, object][] = [
    [
      'a greater amount',
      { effects: [condition({ amount: { min: null, max: '5' } })] },
      { effects: [condition({ amount: { min: null, max: '6' } })] },
    ],
    [
      'a smaller minimum',
      { effects: [condition({ amount: { min: '5', max: null } })] },
      { effects: [condition({ amount: { min: '4', max: null } })] },
    ],
    ['another destination', to(CAROL), to(CAROL, DAVE)],
    ['any destination', to(CAROL), {}],
    [
      'another asset',
      { effects: [condition({ assets: [ETHER] })] },
      { effects: [condition({ assets: [ETHER, DAI] })] },
    ],
    ['another type', {}, { effects: [condition(), condition({ type: 'call' })] }],
    ['a feature', {}, { features: ['ethereum:blobs'] }],
    ['a client', {}, { clients: ['all-clients'] }],
    ['a key', {}, { keys: ['hot', 'cold'] }],
    ['a kind of payload', {}, { payloads: ['ethereum-transaction', 'ethereum-typed-data'] }],
    [
      'a higher fee',
      { fee: { asset: ETHER, max: '5', maxShareBasisPoints: null } },
      { fee: { asset: ETHER, max: '6', maxShareBasisPoints: null } },
    ],
    ['any fee', { fee: { asset: ETHER, max: '5', maxShareBasisPoints: null } }, {}],
    ['more gas', { gas: { max: '5' } }, { gas: { max: '6' } }],
    ['more nonces', { nonce: { min: '5', max: '6' } }, { nonce: { min: '4', max: '6' } }],
    ['a higher limit', { limits: [limit('5')] }, { limits: [limit('6')] }],
    ['no limit', { limits: [limit('5')] }, {}],
    ['fewer approvals', { approvals: approvals(3) }, { approvals: approvals(2) }],
    ['no approvals', { approvals: approvals(3) }, {}],
    ['a higher tier', { tiers: tiers('5') }, { tiers: tiers('6') }],
    [
      'more hours',
      { time: window({ hours: { from: '08:00', to: '18:00' } }) },
      { time: window({ hours: { from: '08:00', to: '18:30' } }) },
    ],
    ['more days', { time: window({ days: ['monday'] }) }, { time: window({ days: ['monday', 'sunday'] }) }],
    [
      'a later end',
      { time: window({ notAfter: '2027-01-01T00:00:00Z' }) },
      { time: window({ notAfter: '2027-02-01T00:00:00Z' }) },
    ],
  ];
  it.each(GRANTS)('finds %s in the newer one, and in the older one', (_, less, more) => {
    const [small, large] = [[permit(less)], [permit(more)]];
    expect(search(small, large)).toMatchObject({ gained: { candidate: expect.anything() }, lost: null });
    expect(search(large, small)).toMatchObject({ gained: null, lost: { candidate: expect.anything() } });
  });

  it('finds nothing where nothing differs, and says how much it has tried', () => {
    const found = search([permit(), denial({ keys: ['cold'] })], [denial({ keys: ['cold'] }), permit()]);
    expect(found).toMatchObject({ gained: null, lost: null, isCut: false });
    expect(found.tried).toBeGreaterThan(10);
  });

  it('finds a person who may approve, an address of a book, a later end of it all', () => {
    const rules = [permit({ approvals: approvals(1) })];
    const people = (approvers: string[]) =>
      configure(rules, { approverGroups: [{ id: 'treasurers', approvers }] });
    expect(searchDifferences(people(['bob']), people(['bob', 'cem']), NOW).gained).not.toBeNull();
    const book = (...addresses: string[]) =>
      configure([permit({ effects: [condition({ to: { books: ['b'], addresses: [] } })] })], {
        addressBooks: [
          { id: 'b', network: MAINNET, entries: addresses.map((address) => ({ label: address, address })) },
        ],
      });
    expect(searchDifferences(book(CAROL), book(CAROL, DAVE), NOW).gained).not.toBeNull();
    const until = (notAfter: string) => configure([permit()], { notAfter });
    const ends = searchDifferences(until('2027-01-01T00:00:00Z'), until('2027-01-02T00:00:00Z'), NOW);
    expect(ends).toMatchObject({ gained: { before: { code: 'CONFIGURATION_EXPIRED' } }, lost: null });
  });

  it('finds what a denial takes away', () => {
    const taken = search([permit()], [permit(), denial({ features: ['ethereum:blobs'] })]);
    expect(taken).toMatchObject({ gained: null, lost: null });
    const tolerant = permit({ features: ['ethereum:blobs'] });
    expect(search([tolerant], [tolerant, denial({ features: ['ethereum:blobs'] })])).toMatchObject({
      gained: null,
      lost: { after: { code: 'RULE_DENIED' } },
    });
  });

  it('ends at its limit, and says so', () => {
    const same = configure([permit()]);
    expect(searchDifferences(same, same, NOW, 3)).toMatchObject({ tried: 3, isCut: true });
  });
});

describe('random configurations', () => {
  const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 3 });
  const amounts = fc.integer({ min: 1, max: 12 }).map(String);
  const conditions = fc
    .record({
      type: fc.constantFrom('transfer' as const, 'allowance' as const),
      to: rarely(
        fc.constantFrom<{ books: string[]; addresses: string[] }>(
          { books: ['suppliers'], addresses: [] },
          { books: [], addresses: [`${MAINNET}:${DAVE}`] },
        ),
      ),
      assets: rarely(fc.subarray([ETHER, DAI], { minLength: 1 })),
      amount: rarely(fc.record({ min: fc.constant(null), max: amounts })),
    })
    .map((members) => condition(members));
  const scope = {
    keys: fc.constantFrom<string[]>(['hot'], ['cold'], ['hot', 'cold']),
    clients: fc.constantFrom<string[]>(['backend'], ['all-clients']),
  };
  const permits = fc.record({
    ...scope,
    effects: fc.array(conditions, { minLength: 1, maxLength: 2 }),
    features: fc.subarray(['ethereum:blobs', 'ethereum:creation']),
    gas: rarely(fc.record({ max: amounts })),
    nonce: rarely(fc.constant({ min: '2', max: '9' })),
    limits: fc.subarray([limit('8')]),
    approvals: rarely(fc.constant(approvals(2))),
    tiers: fc.constantFrom([], [], tiers('4')),
    fee: rarely(fc.constant({ asset: ETHER, max: '3', maxShareBasisPoints: null })),
  });
  const denials = fc.record({
    ...scope,
    effects: rarely(fc.array(conditions, { minLength: 1, maxLength: 2 })),
    features: rarely(fc.constant<string[]>(['ethereum:blobs'])),
  });
  const lists = fc
    .tuple(fc.array(permits, { minLength: 1, maxLength: 3 }), fc.array(denials, { maxLength: 1 }))
    .map(([some, others]) => [
      ...some.map((each, index) => permit({ id: `p-${index}`, ...each })),
      ...others.map((each, index) => denial({ id: `d-${index}`, ...each })),
    ]);
  const RUNS = { numRuns: 15 };
  const TRIED = 2000;

  it('permit nothing newly without a permit, or with one more denial', () => {
    fc.assert(
      fc.property(lists, denials, fc.nat(), (rules, added, place) => {
        const before = configure(rules);
        const index = place % rules.filter(({ effect }) => effect === 'permit').length;
        const less = [rules.toSpliced(index, 1), [...rules, denial({ id: 'added', ...added })]];
        for (const after of less)
          expect(searchDifferences(before, configure(after), NOW, TRIED).gained).toBeNull();
      }),
      RUNS,
    );
  });

  it('permit something newly with a permit of a client that had none', () => {
    const clients = [
      ...makeConfiguration2().clients,
      { id: 'new', publicKey: '03'.repeat(32), person: null },
    ];
    fc.assert(
      fc.property(lists, permits, (rules, members) => {
        const added = permit({ id: 'added', ...members, clients: ['new'] });
        const before = configure(rules, { clients });
        const after = configure([...rules, added], { clients });
        const { gained, lost } = searchDifferences(before, after, NOW, TRIED);
        expect(gained?.candidate.client).toBe('new');
        expect(lost).toBeNull();
      }),
      RUNS,
    );
  });
});
