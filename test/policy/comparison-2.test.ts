import { describe, expect, it } from 'vitest';
import { compareConfigurations } from '../../policy/comparison.ts';
import type {
  ConfigurationDocument2,
  DenyRule,
  PermitRule,
  Rule,
} from '../../shared/documents/configuration.ts';
import {
  CAROL,
  condition,
  DAVE,
  denial,
  ETHER,
  makeConfiguration2,
  MAINNET,
  permit,
} from '../shared/documents/sample-rules.ts';

const suppliers = condition({ to: { books: ['suppliers'], addresses: [] } });
const asking = (count: number, group = 'treasurers') => ({ all: [{ group, count }], expiresSeconds: 60 });
const LIMIT = { id: 'a', asset: ETHER, max: '5', seconds: 60, per: 'key', fees: true } as const;
const TIERS = [{ asset: ETHER, steps: [{ max: '5', approvals: null }] }];
const RULES = [permit({ effects: [suppliers], approvals: asking(2) })];
const compare = (before: Partial<ConfigurationDocument2>, after: Partial<ConfigurationDocument2>) =>
  compareConfigurations(
    makeConfiguration2({ rules: RULES, ...before }),
    makeConfiguration2({ rules: RULES, ...after }),
  );
const compareRules = (before: Rule, after: Rule) => compare({ rules: [before] }, { rules: [after] });
const [BASE] = [makeConfiguration2()];
const book = (...entries: { label: string; address: string }[]) => ({
  addressBooks: [{ id: 'suppliers', network: MAINNET, entries }],
});
const [CAROLS, DAVES] = [
  { label: 'Carol', address: CAROL },
  { label: 'Dave', address: DAVE },
];

const image = (byte: string, notAfter: string | null = null) => ({
  pcrs: { 0: byte.repeat(48), 1: byte.repeat(48), 2: byte.repeat(48) },
  notAfter,
});
const peer = (node: number, changes: object = {}) => ({
  node,
  manifest: `0${node}`.repeat(48),
  images: [image('aa')],
  ...changes,
});
const witness = (node: number) =>
  peer(node, { witness: `w${node}+00000000+${Buffer.from(`witness ${node}`).toString('base64')}` });
const quorumOf = (peers: readonly ReturnType<typeof peer>[], changes: object = {}) => ({
  peers: [...peers],
  servesAlone: [],
  refreshHours: null,
  ...changes,
});
const cosigned = (threshold: number, changes: object = {}) => ({
  witnesses: { threshold, maxUncosignedSeconds: 0, ...changes },
});

describe('what changes in a permit', () => {
  // Each from the first to the second; the opposite has the opposite effect.
  it.each<[string, Partial<PermitRule>, Partial<PermitRule>, boolean, boolean]>([
    ['every network', { networks: [MAINNET] }, { networks: null }, true, false],
    ['a network more', { networks: [MAINNET] }, { networks: [MAINNET, 'eip155:5'] }, true, false],
    ['a condition more', {}, { effects: [condition(), condition({ type: 'call' })] }, true, false],
    ['another condition', {}, { effects: [condition({ type: 'call' })] }, true, true],
    [
      'a higher amount',
      { effects: [condition({ amount: { min: null, max: '5' } })] },
      { effects: [condition({ amount: { min: null, max: '6' } })] },
      true,
      false,
    ],
    ['no amount', { effects: [condition({ amount: { min: null, max: '5' } })] }, {}, true, false],
    ['a feature more', {}, { features: ['ethereum:blobs'] }, true, false],
    [
      'a higher fee',
      { fee: { asset: ETHER, max: '1', maxShareBasisPoints: null } },
      { fee: { asset: ETHER, max: '2', maxShareBasisPoints: null } },
      true,
      false,
    ],
    [
      'no share of the fee',
      { fee: { asset: ETHER, max: '1', maxShareBasisPoints: 5 } },
      { fee: { asset: ETHER, max: '1', maxShareBasisPoints: null } },
      true,
      false,
    ],
    ['any fee', { fee: { asset: ETHER, max: '1', maxShareBasisPoints: null } }, {}, true, false],
    ['more gas', { gas: { max: '1' } }, { gas: { max: '2' } }, true, false],
    ['any nonce', { nonce: { min: '0', max: '9' } }, {}, true, false],
    ['a lower nonce', { nonce: { min: '1', max: '9' } }, { nonce: { min: '0', max: '9' } }, true, false],
    ['no limit', { limits: [LIMIT] }, {}, true, false],
    ['a higher limit', { limits: [LIMIT] }, { limits: [{ ...LIMIT, max: '6' }] }, true, false],
    ['a shorter window', { limits: [LIMIT] }, { limits: [{ ...LIMIT, seconds: 59 }] }, true, false],
    ['a limit per something else', { limits: [LIMIT] }, { limits: [{ ...LIMIT, per: 'rule' }] }, true, true],
    ['no approvals', { approvals: asking(1) }, {}, true, false],
    ['fewer approvals', { approvals: asking(2) }, { approvals: asking(1) }, true, false],
    ['approvals of others', { approvals: asking(1) }, { approvals: asking(1, 'security') }, true, true],
    [
      'more time to approve',
      { approvals: asking(1) },
      { approvals: { ...asking(1), expiresSeconds: 61 } },
      true,
      false,
    ],
    ['no tiers', { tiers: TIERS }, {}, true, false],
    [
      'any time',
      { time: { days: ['monday'], hours: null, notBefore: null, notAfter: null } },
      {},
      true,
      false,
    ],
  ])('%s', (_, before, after, grants, revokes) => {
    expect(compareRules(permit(before), permit(after))).toMatchObject([{ subject: 'rule', grants, revokes }]);
    expect(compareRules(permit(after), permit(before))).toMatchObject([{ grants: revokes, revokes: grants }]);
  });

  it('is nothing where the same is said in other words', () => {
    const one = permit({
      effects: [
        condition({ to: { books: [], addresses: [`eip155:1:${CAROL}`] } }),
        condition({ type: 'call' }),
      ],
      time: { days: ['monday', 'friday'], hours: null, notBefore: '2026-12-01T00:00:00Z', notAfter: null },
    });
    const other = permit({
      effects: [
        condition({ type: 'call' }),
        condition({ to: { books: [], addresses: [`eip155:1:${CAROL.toLowerCase()}`] } }),
      ],
      time: {
        days: ['friday', 'monday'],
        hours: null,
        notBefore: '2026-12-01T00:00:00.000Z',
        notAfter: null,
      },
    });
    expect(compareRules(one, other)).toEqual([]);
  });
});

describe('what changes in a denial', () => {
  it.each<[string, Partial<DenyRule>, Partial<DenyRule>]>([
    ['a client more', {}, { clients: ['backend', 'treasury'] }],
    ['every network', { networks: [MAINNET] }, { networks: null }],
    ['every effect', { effects: [condition()] }, { effects: null }],
    ['a condition more', { effects: [condition()] }, { effects: [condition(), condition({ type: 'call' })] }],
    ['with or without features', { features: ['ethereum:blobs'] }, { features: null }],
    [
      'a feature more',
      { features: ['ethereum:blobs'] },
      { features: ['ethereum:blobs', 'ethereum:creation'] },
    ],
    ['any time', { time: { days: ['monday'], hours: null, notBefore: null, notAfter: null } }, {}],
  ])('revokes: %s', (_, before, after) => {
    expect(compareRules(denial(before), denial(after))).toMatchObject([{ grants: false, revokes: true }]);
    expect(compareRules(denial(after), denial(before))).toMatchObject([{ grants: true, revokes: false }]);
  });

  it('revokes when it is added, and grants when it is gone', () => {
    expect(compare({}, { rules: [...RULES, denial()] })).toMatchObject([
      { kind: 'added', grants: false, revokes: true },
    ]);
    expect(compare({ rules: [...RULES, denial()] }, {})).toMatchObject([
      { kind: 'removed', grants: true, revokes: false },
    ]);
    expect(compareRules(denial({ id: 'a' }), permit({ id: 'a' }))).toMatchObject([{ grants: true }]);
    expect(compareRules(permit({ id: 'a' }), denial({ id: 'a' }))).toMatchObject([
      { grants: false, revokes: true },
    ]);
  });
});

describe('what changes beside rules', () => {
  it.each<[string, Partial<ConfigurationDocument2>, Partial<ConfigurationDocument2>, object]>([
    [
      'an address more in a book that a permit names',
      book(CAROLS),
      book(CAROLS, DAVES),
      { subject: 'addressBook', grants: true, revokes: false },
    ],
    [
      'an address less',
      book(CAROLS, DAVES),
      book(CAROLS),
      { subject: 'addressBook', grants: false, revokes: true },
    ],
    [
      'another label',
      book(CAROLS),
      book({ ...CAROLS, label: 'Dave' }),
      { subject: 'addressBook', grants: false, revokes: false },
    ],
    [
      'an address more in a book that a denial names',
      { ...book(CAROLS), rules: [denial({ effects: [suppliers] })] },
      { ...book(CAROLS, DAVES), rules: [denial({ effects: [suppliers] })] },
      { grants: false, revokes: true },
    ],
    [
      'an address more in a book that nothing names',
      { ...book(CAROLS), rules: [] },
      { ...book(CAROLS, DAVES), rules: [] },
      { grants: false, revokes: false },
    ],
    [
      'an approver more in a group that a rule asks',
      {},
      {
        approverGroups: [
          { id: 'treasurers', approvers: ['ann', 'bob', 'cem', 'dan', 'eve'] },
          { id: 'security', approvers: ['dan', 'eve'] },
        ],
      },
      { subject: 'approverGroup', grants: true },
    ],
    [
      'a credential more',
      {},
      {
        approvers:
          BASE?.approvers.map((one) =>
            one.id === 'bob'
              ? {
                  ...one,
                  credentials: [...one.credentials, { type: 'ed25519' as const, publicKey: '9'.repeat(64) }],
                }
              : one,
          ) ?? [],
      },
      { subject: 'approver', id: 'bob', grants: true, revokes: false },
    ],
    [
      'a client more in a group that a permit names',
      {
        rules: [permit({ clients: ['all-clients'] })],
        clientGroups: [{ id: 'all-clients', clients: ['backend'] }],
      },
      { rules: [permit({ clients: ['all-clients'] })] },
      { subject: 'clientGroup', grants: true, revokes: false },
    ],
    [
      'nobody behind a client any more',
      {},
      { clients: BASE?.clients.map((one) => ({ ...one, person: null })) ?? [] },
      { subject: 'client', id: 'backend', grants: true, revokes: false },
    ],
    [
      'a network more of a key',
      { keys: [{ id: 'hot', type: 'secp256k1', networks: [] }] },
      { keys: [{ id: 'hot', type: 'secp256k1', networks: [MAINNET] }] },
      { subject: 'key', grants: true, revokes: false },
    ],
    [
      'no witnesses any more',
      { witnesses: { threshold: 1, keys: ['w+00000000+AAAA'], maxUncosignedSeconds: 0 } },
      {},
      { subject: 'witnesses', grants: true, revokes: false },
    ],
    [
      'fewer witnesses',
      { witnesses: { threshold: 2, keys: ['w+00000000+AAAA', 'v+00000001+BBBB'], maxUncosignedSeconds: 0 } },
      { witnesses: { threshold: 1, keys: ['w+00000000+AAAA', 'v+00000001+BBBB'], maxUncosignedSeconds: 0 } },
      { grants: true, revokes: false },
    ],
    [
      'more time without them',
      { witnesses: { threshold: 1, keys: ['w+00000000+AAAA'], maxUncosignedSeconds: 0 } },
      { witnesses: { threshold: 1, keys: ['w+00000000+AAAA'], maxUncosignedSeconds: 9 } },
      { grants: true, revokes: false },
    ],
    ['a peer', {}, { quorum: quorumOf([peer(2)]) }, { subject: 'peer', kind: 'added', grants: true }],
    [
      'a peer less',
      { quorum: quorumOf([peer(2), peer(3)]) },
      { quorum: quorumOf([peer(2)]) },
      { subject: 'peer', id: 'node-3', kind: 'removed', grants: false, revokes: true },
    ],
    [
      'an image more of a peer',
      { quorum: quorumOf([peer(2)]) },
      { quorum: quorumOf([peer(2, { images: [image('aa'), image('dd')] })]) },
      { subject: 'peer', grants: true, revokes: false },
    ],
    [
      'another end of an image',
      { quorum: quorumOf([peer(2)]) },
      { quorum: quorumOf([peer(2, { images: [image('aa', '2027-01-01T00:00:00Z')] })]) },
      { subject: 'peer', grants: true, revokes: true },
    ],
    [
      'another log of a peer',
      { quorum: quorumOf([peer(2, { log: 'a+00000000+AAAA' })]) },
      { quorum: quorumOf([peer(2, { log: 'a+00000001+BBBB' })]) },
      { subject: 'peer', grants: true, revokes: true },
    ],
    [
      'a key that is served alone',
      { quorum: quorumOf([peer(2)]) },
      { quorum: quorumOf([peer(2)], { servesAlone: ['hot'] }) },
      { subject: 'quorum', grants: true, revokes: false },
    ],
    [
      'refreshes',
      { quorum: quorumOf([peer(2)]) },
      { quorum: quorumOf([peer(2)], { refreshHours: 24 }) },
      { subject: 'quorum', grants: false, revokes: false },
    ],
    [
      'peers that must cosign',
      { quorum: quorumOf([witness(2), witness(3)]) },
      { quorum: quorumOf([witness(2), witness(3)], cosigned(2)) },
      { subject: 'quorum', grants: false, revokes: true },
    ],
    [
      'fewer of them',
      { quorum: quorumOf([witness(2), witness(3)], cosigned(2)) },
      { quorum: quorumOf([witness(2), witness(3)], cosigned(1)) },
      { subject: 'quorum', grants: true, revokes: false },
    ],
    [
      'a start without them',
      { quorum: quorumOf([witness(2)], cosigned(1)) },
      {
        quorum: quorumOf(
          [witness(2)],
          cosigned(1, { restart: { size: 1, root: 'ab'.repeat(32), notAfter: '2027-01-01T00:00:00Z' } }),
        ),
      },
      { subject: 'quorum', grants: true, revokes: false },
    ],
  ])('%s', (_, before, after, change) => {
    expect(compare(before, after)).toMatchObject([change]);
  });

  it('the same addresses in other words are no change', () => {
    expect(compare(book(CAROLS, DAVES), book(DAVES, { ...CAROLS, address: CAROL.toLowerCase() }))).toEqual(
      [],
    );
  });
});
