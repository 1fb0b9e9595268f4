import { describe, expect, it } from 'vitest';
import { lintConfiguration } from '../../../policy/analysis/index.ts';
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

const NOW = Date.UTC(2026, 11, 2);
const limit = { id: 'day', asset: ETHER, max: '9', seconds: 60, per: 'key', fees: true } as const;
const suppliers = { books: ['suppliers'], addresses: [] };
const quorum = (...all: { group: string; count: number }[]) => ({ all, expiresSeconds: 60 });
const vkey = (name: string) => `${name}+01234567+${Buffer.from(name).toString('base64')}`;
const witnessed = (threshold: number, of: number, maxUncosignedSeconds = 0) => ({
  threshold,
  keys: Array.from({ length: of }, (_, index) => vkey(`witness-${index}`)),
  maxUncosignedSeconds,
});
/** A rule of which nothing is to be said. */
const quiet = (changes: object = {}): Rule =>
  permit({
    effects: [condition({ to: suppliers, assets: [ETHER], amount: { min: null, max: '5' } })],
    limits: [limit],
    ...changes,
  });
const ENDS = { days: null, hours: null, notBefore: null, notAfter: '2027-01-01T00:00:00Z' };
const PAST = { ...ENDS, notAfter: '2026-01-01T00:00:00Z' };

function lint(rules: Rule[], changes: Partial<ConfigurationDocument2> = {}): string[] {
  const document = makeConfiguration2({ rules, witnesses: witnessed(3, 4), ...changes });
  return lintConfiguration(readConfiguration(document), NOW).map(({ code, severity, subject }) =>
    `${severity} ${code} ${subject ?? ''}`.trim(),
  );
}
const BEAR = 'note WITNESSES_BEAR witnesses';
const passkey = (origin: string) => ({
  id: 'pia',
  credentials: [
    {
      type: 'passkey' as const,
      algorithm: 'EdDSA' as const,
      credentialId: 'AAAA',
      publicKey: '5a'.repeat(32),
      relyingParty: 'bank.example',
      origins: [origin],
    },
  ],
});

describe('a configuration of which nothing is to be said', () => {
  it('has no findings but what its witnesses bear', () => {
    expect(lint([quiet()])).toEqual([BEAR]);
    const approvals = quorum({ group: 'treasurers', count: 2 });
    expect(lint([quiet({ approvals })])).toEqual([BEAR]);
  });
});

describe('rules for operations on keys', () => {
  const keys = [{ id: 'shared', type: 'frost-ed25519' as const, networks: [] }];
  const ceremony = (changes: object = {}): Rule =>
    permit({
      keys: ['shared'],
      algorithms: ['frost-ed25519'],
      payloads: ['message'],
      networks: null,
      effects: [condition({ type: 'blind' })],
      ...changes,
    });
  const approvals = quorum({ group: 'treasurers', count: 2 });

  it.each(['import-share', 'generate', 'import-key', 'refresh', 'reshare', 'repair'] as const)(
    'are found where %s would have to wait for approvals',
    (operation) => {
      const waiting = ceremony({ operations: ['sign', operation], approvals });
      expect(lint([waiting], { keys })).toContain('error APPROVALS_NOT_AWAITED transfers');
      const found = lint([ceremony({ operations: [operation] })], { keys });
      expect(found.filter((finding) => finding.startsWith('error'))).toEqual([]);
    },
  );

  it('are no findings where only signing waits', () => {
    expect(lint([ceremony({ approvals })], { keys }).join()).not.toContain('APPROVALS_NOT_AWAITED');
  });
});

describe('rules that match nothing', () => {
  const elsewhere = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp';
  it.each<[string, Rule]>([
    ['an algorithm of another key type', quiet({ algorithms: ['ed25519'] })],
    ['a kind that the algorithm does not take', quiet({ payloads: ['solana-transaction'] })],
    ['a network that the key does not serve', quiet({ networks: ['eip155:5'] })],
    ['a blind kind on a network', permit({ payloads: ['digest'], effects: [condition({ type: 'blind' })] })],
    ['a blind effect of what is read', quiet({ effects: [condition({ type: 'blind' })] })],
    ['a blind kind without a blind effect', permit({ payloads: ['digest'], networks: null })],
    ['an import into a key that is no share', quiet({ operations: ['import-share'] })],
    ['a ceremony on a key that is no share', quiet({ operations: ['refresh'] })],
    ['a denial of a network that no key serves', denial({ networks: [elsewhere] })],
  ])('are found: %s', (_, rule) => {
    const { id } = rule;
    expect(lint([rule])).toContain(`error RULE_UNREACHABLE ${id}`);
  });

  it('are found where only an empty address book is named', () => {
    const addressBooks = [{ id: 'suppliers', network: MAINNET, entries: [] }];
    expect(lint([quiet()], { addressBooks })).toContain('error RULE_UNREACHABLE transfers');
  });

  it('are no findings where a message names no network', () => {
    const rule = permit({
      payloads: ['ethereum-message'],
      networks: null,
      effects: [condition({ type: 'message' })],
    });
    expect(lint([rule])).toEqual([BEAR]);
  });

  it('has a name that fits nothing else', () => {
    const found = lint([quiet({ algorithms: ['ecdsa-secp256k1', 'ed25519'] })]);
    expect(found).toContain('warning RULE_NAME_UNREACHABLE transfers');
  });
});

describe('permits that a denial covers', () => {
  const wide = { clients: ['all-clients'], keys: ['hot', 'cold'] };
  it.each<[string, Rule]>([
    ['all of them', denial(wide)],
    ['by network', denial({ networks: [MAINNET, 'eip155:5'] })],
    ['by type', denial({ effects: [condition()] })],
    ['by destination', denial({ effects: [condition({ to: suppliers })] })],
    ['by amount', denial({ effects: [condition({ amount: { min: null, max: '5' } })] })],
  ])('are found: %s', (_, rule) => {
    expect(lint([quiet(), rule])).toContain('error RULE_DENIED_WHOLLY transfers');
  });

  it.each<[string, Rule]>([
    ['another client', denial({ clients: ['treasury'] })],
    ['another key', denial({ keys: ['cold'] })],
    ['a feature', denial({ features: ['ethereum:blobs'] })],
    ['another type', denial({ effects: [condition({ type: 'allowance' })] })],
    ['smaller amounts', denial({ effects: [condition({ amount: { min: null, max: '4' } })] })],
    [
      'another destination',
      denial({ effects: [condition({ to: { books: [], addresses: [`${MAINNET}:${DAVE}`] } })] }),
    ],
    ['a time', denial({ time: ENDS })],
  ])('are not those with %s', (_, rule) => {
    expect(lint([quiet(), rule])).toEqual([BEAR]);
  });
});

describe('approvals', () => {
  it.each<[string, ReturnType<typeof quorum>]>([
    ['more than a group has', quorum({ group: 'security', count: 3 })],
    [
      'people who are in both groups twice',
      quorum({ group: 'treasurers', count: 4 }, { group: 'security', count: 2 }),
    ],
  ])('can never be met: %s', (_, approvals) => {
    expect(lint([quiet({ approvals })])).toContain('error QUORUM_IMPOSSIBLE transfers');
  });

  it('can never be met without the person behind the client', () => {
    const approvals = quorum({ group: 'treasurers', count: 4 });
    expect(lint([quiet({ approvals })])).toContain('error QUORUM_IMPOSSIBLE_FOR_CLIENT transfers');
    const both = lint([quiet({ approvals, clients: ['all-clients'] })]);
    expect(both).toContain('warning QUORUM_IMPOSSIBLE_FOR_CLIENT transfers');
    expect(both).toContain('warning REQUESTER_UNNAMED transfers');
  });

  it('are those of one person, be it by a tier', () => {
    const one = quorum({ group: 'security', count: 1 });
    expect(lint([quiet({ approvals: one })])).toContain('warning ONE_PERSON_QUORUM transfers');
    const tiers = [
      { asset: ETHER, steps: [{ max: '4', approvals: quorum({ group: 'treasurers', count: 1 }) }] },
    ];
    // The same person is in both groups.
    expect(lint([quiet({ approvals: one, tiers })])).toContain('warning ONE_PERSON_QUORUM transfers');
  });

  it('need two people where the groups have nobody in common', () => {
    const approverGroups = [
      { id: 'treasurers', approvers: ['ann', 'bob'] },
      { id: 'security', approvers: ['dan', 'eve'] },
    ];
    const approvals = quorum({ group: 'treasurers', count: 1 }, { group: 'security', count: 1 });
    expect(lint([quiet({ approvals })], { approverGroups })).toEqual([BEAR]);
  });
});

describe('what a permit permits', () => {
  const any = (changes: object) => [
    quiet({ effects: [condition({ to: suppliers, ...changes })], limits: [] }),
  ];
  it.each<[string, Rule[], string]>([
    ['any amount', any({}), 'warning TRANSFER_UNLIMITED transfers'],
    [
      'another asset than that of the limit',
      [quiet({ effects: [condition({ to: suppliers })] })],
      'warning TRANSFER_UNLIMITED transfers',
    ],
    [
      'any number of transfers',
      any({ amount: { min: null, max: '5' } }),
      'warning TRANSFERS_UNCOUNTED transfers',
    ],
    ['anybody', [quiet({ effects: [condition({ assets: [ETHER] })] })], 'warning ANY_DESTINATION transfers'],
    ['any contract', any({ type: 'call' }), 'warning ANY_CONTRACT transfers'],
    ['what nobody knows', any({ type: 'unknown' }), 'warning UNREAD_EFFECT transfers'],
    [
      'a danger',
      [quiet({ features: ['ethereum:unlimited-allowance'] })],
      'warning DANGEROUS_FEATURE transfers',
    ],
    [
      'a digest',
      [permit({ payloads: ['digest'], networks: null, effects: [condition({ type: 'blind' })] })],
      'warning BLIND_PAYLOAD transfers',
    ],
  ])('is found: %s', (_, rules, found) => {
    expect(lint(rules)).toContain(found);
  });

  it('is found where a baker’s key signs blindly, too, and nowhere else', () => {
    const tezos = {
      keys: [{ id: 'baker', type: 'p256' as const, networks: ['tezos:NetXdQprcVkpaWU'] }],
    };
    const own = { keys: ['baker'], algorithms: ['ecdsa-p256-sha256' as const], networks: null };
    const baking = permit({
      ...own,
      id: 'baking',
      payloads: ['tezos-consensus'],
      effects: [condition({ type: 'consensus' })],
    });
    const blind = permit({
      ...own,
      id: 'blind',
      payloads: ['digest'],
      effects: [condition({ type: 'blind' })],
    });
    const found = 'warning WATERMARK_BYPASSED blind';
    expect(lint([baking, blind], tezos)).toContain(found);
    expect(lint([blind], tezos)).not.toContain(found);
    expect(lint([baking], tezos).filter((line) => line.includes('WATERMARK'))).toEqual([]);
  });

  it('is told as a note where people are asked', () => {
    const approvals = quorum({ group: 'treasurers', count: 2 });
    const effects = [condition({ to: { books: [], addresses: [`${MAINNET}:${CAROL}`] } })];
    expect(lint([quiet({ approvals, effects, limits: [] })])).toEqual([
      'note TRANSFER_UNLIMITED transfers',
      BEAR,
    ]);
  });
});

describe('what ends', () => {
  it('is found', () => {
    expect(lint([quiet({ time: ENDS }), quiet({ id: 'other', time: ENDS })])).toContain(
      'warning RULES_EXPIRE_TOGETHER',
    );
    expect(lint([quiet({ time: ENDS })])).toEqual([BEAR]);
    expect(lint([quiet({ time: PAST })])).toContain('warning RULE_EXPIRED transfers');
    expect(lint([quiet(), denial({ keys: ['cold'], time: PAST })])).toContain('error RULE_EXPIRED frozen');
    expect(lint([quiet()], { notAfter: '2026-01-01T00:00:00Z' })).toContain('error CONFIGURATION_OVER');
    expect(lint([quiet()], { notAfter: '2027-01-01T00:00:00Z' })).toContain('note CONFIGURATION_EXPIRES');
  });
});

describe('witnesses', () => {
  it.each([
    [1, 1, 'warning WITNESSES_BEAR_NO_FAULT'],
    [1, 2, 'error WITNESSES_UNSOUND'],
    [2, 2, 'note WITNESSES_BEAR'],
    [2, 3, 'warning WITNESSES_BEAR_NO_FAULT'],
    [2, 4, 'error WITNESSES_UNSOUND'],
    [3, 4, 'note WITNESSES_BEAR'],
    [3, 5, 'warning WITNESSES_BEAR_NO_FAULT'],
    [4, 5, 'note WITNESSES_BEAR'],
    [4, 7, 'warning WITNESSES_BEAR_NO_FAULT'],
    [5, 7, 'note WITNESSES_BEAR'],
  ])('%i of %i', (k, n, found) => {
    expect(lint([quiet()], { witnesses: witnessed(k, n) })).toEqual([`${found} witnesses`]);
  });

  it('are missed, and their waiver is told', () => {
    expect(lint([quiet()], { witnesses: null })).toEqual(['warning WITNESSES_NONE witnesses']);
    expect(lint([quiet()], { witnesses: witnessed(3, 4, 5) })).toContain(
      'warning WITNESSES_WAIVED witnesses',
    );
  });
});

describe('peers as witnesses', () => {
  const peers = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      node: index + 2,
      manifest: `1${index}`.repeat(48),
      images: [{ pcrs: { 0: 'aa'.repeat(48), 1: 'bb'.repeat(48), 2: 'cc'.repeat(48) }, notAfter: null }],
      witness: vkey(`peer-${index}`),
    }));
  const quorumOf = (k: number, n: number, rest: object = {}) => ({
    peers: peers(n),
    servesAlone: [],
    refreshHours: null,
    witnesses: { threshold: k, maxUncosignedSeconds: 0, ...rest },
  });
  const ONE_FAULT = 'note PEER_WITNESSES_ONE_FAULT quorum.witnesses';

  it.each([
    [1, 2, 'warning WITNESSES_UNSOUND'],
    [2, 2, 'note WITNESSES_BEAR'],
    [2, 3, 'warning WITNESSES_BEAR_NO_FAULT'],
    [3, 4, 'note WITNESSES_BEAR'],
  ])('%i of %i beside outside witnesses', (k, n, found) => {
    const findings = lint([quiet()], { quorum: quorumOf(k, n) });
    expect(findings.toSorted()).toEqual([BEAR, ONE_FAULT, `${found} quorum.witnesses`].toSorted());
  });

  it('alone are an error where two histories find enough of them', () => {
    const alone = 'warning WITNESSES_PEERS_ALONE witnesses';
    expect(lint([quiet()], { witnesses: null, quorum: quorumOf(1, 2) }).toSorted()).toEqual(
      ['error WITNESSES_UNSOUND quorum.witnesses', ONE_FAULT, alone].toSorted(),
    );
    expect(lint([quiet()], { witnesses: null, quorum: quorumOf(2, 2) })).toContain(alone);
    // Outside witnesses that are unsound by themselves carry nothing.
    expect(lint([quiet()], { witnesses: witnessed(1, 2), quorum: quorumOf(1, 2) })).toContain(
      'error WITNESSES_UNSOUND quorum.witnesses',
    );
  });

  it('tell of what waives them', () => {
    const restart = { size: 7, root: '00'.repeat(32), notAfter: '2027-01-01T00:00:00Z' };
    expect(lint([quiet()], { quorum: quorumOf(2, 2, { restart, maxUncosignedSeconds: 9 }) })).toEqual(
      expect.arrayContaining([
        'warning PEERLESS_RESTART quorum.witnesses',
        'warning WITNESSES_WAIVED quorum.witnesses',
      ]),
    );
    const unused = { peers: peers(2), servesAlone: [], refreshHours: null };
    expect(lint([quiet()], { quorum: unused })).toContain('warning PEER_WITNESSES_UNUSED quorum.witnesses');
  });
});

describe('passkeys', () => {
  it.each([
    ['http://bank.example', 'error PASSKEY_ORIGIN_HTTP pia'],
    ['https://bank.example.evil.example', 'warning PASSKEY_ORIGIN_FOREIGN pia'],
    ['https://notbank.example', 'warning PASSKEY_ORIGIN_FOREIGN pia'],
  ])('of %s', (origin, found) => {
    const { approvers } = makeConfiguration2();
    expect(lint([quiet()], { approvers: [...approvers, passkey(origin)] })).toContain(found);
  });

  it('are in order where the page is', () => {
    const { approvers } = makeConfiguration2();
    const of = (origin: string) => lint([quiet()], { approvers: [...approvers, passkey(origin)] });
    expect(of('https://approve.bank.example:8443')).toEqual([BEAR]);
    expect(of('http://bank.example.localhost')).toEqual(['warning PASSKEY_ORIGIN_FOREIGN pia', BEAR]);
  });
});

describe('peers', () => {
  const pcrs = (digit: string) => ({ 0: digit.repeat(96), 1: digit.repeat(96), 2: digit.repeat(96) });
  const image = (digit: string, notAfter: string | null = null) => ({ pcrs: pcrs(digit), notAfter });
  const named = (...images: object[]) => ({
    quorum: { peers: [{ node: 2, manifest: 'b'.repeat(96), images }], servesAlone: [], refreshHours: null },
  });
  const lintPeers = (...images: object[]) =>
    lint([quiet()], named(...images) as Partial<ConfigurationDocument2>);
  const lintSize = (size: number, threshold: number) =>
    lintConfiguration(
      readConfiguration(makeConfiguration2({ rules: [quiet()], ...(named(image('1')) as object) })),
      NOW,
      { size, threshold },
    )
      .filter(({ subject }) => subject === 'quorum')
      .map(({ code, severity }) => `${severity} ${code}`);

  it.each([
    ['one image', [image('1')], []],
    ['a newer image beside one that ends', [image('1', '2027-01-01T00:00:00Z'), image('2')], []],
    ['two images without an end', [image('1'), image('2')], ['warning PEER_IMAGE_ENDLESS node 2']],
    [
      'an image that is over',
      [image('1', '2026-01-01T00:00:00Z'), image('2')],
      ['note PEER_IMAGE_OVER node 2'],
    ],
    ['no image but one that is over', [image('1', '2026-01-01T00:00:00Z')], ['error PEER_SHUT_OUT node 2']],
    [
      'a signed image beside an unsigned one',
      [{ pcrs: { ...pcrs('1'), 8: '8'.repeat(96) }, notAfter: '2027-01-01T00:00:00Z' }, image('2')],
      ['warning PEER_IMAGE_UNSIGNED node 2'],
    ],
  ])('of %s', (_, images, findings) => {
    expect(lintPeers(...images).filter((line) => line.includes('PEER'))).toEqual(findings);
  });

  it('are compared with the manifest where it is given', () => {
    expect(lintSize(2, 2)).toEqual([]);
    expect(lintSize(3, 2)).toEqual(['warning PEERS_TOO_FEW']);
    expect(lintSize(3, 3)).toEqual(['error PEERS_TOO_FEW']);
  });
});
