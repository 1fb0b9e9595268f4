import { describe, expect, it } from 'vitest';
import { compareConfigurations as compareUpgraded, describeChanges } from '../../policy/comparison.ts';
import type { ConfigurationDocument1, Rule1 } from '../../shared/documents/configuration.ts';
import { upgradeConfiguration } from '../../shared/documents/configuration/upgrade.ts';
import { makeConfiguration, RULE } from '../cli/node-files.ts';

const DIGEST = '00'.repeat(48);
const BASE = makeConfiguration(DIGEST, 1, {
  clients: [
    { id: 'wallet', publicKey: '11'.repeat(32) },
    { id: 'backup', publicKey: '22'.repeat(32) },
  ],
  keys: [
    { id: 'hot', type: 'ed25519' },
    { id: 'cold', type: 'p256' },
  ],
});

const compareConfigurations = (before: ConfigurationDocument1, after: ConfigurationDocument1) =>
  compareUpgraded(upgradeConfiguration(before), upgradeConfiguration(after));
const compare = (changes: Partial<ConfigurationDocument1>) =>
  compareConfigurations(BASE, { ...BASE, ...changes });
const compareRule = (changes: Partial<Rule1>) => compare({ rules: [{ ...RULE, ...changes }] });

describe('what changes in permissions', () => {
  it('is nothing when only version, order or repetition differ', () => {
    expect(
      compareConfigurations(BASE, {
        ...BASE,
        version: 2,
        clients: BASE.clients.toReversed(),
        keys: BASE.keys.toReversed(),
        rules: [{ ...RULE, operations: ['sign', 'sign'] }],
      }),
    ).toEqual([]);
  });

  it.each<[string, Partial<Rule1>, boolean, boolean]>([
    ['a client more', { clients: ['wallet', 'backup'] }, true, false],
    ['a key more', { keys: ['hot', 'cold'] }, true, false],
    ['another operation', { operations: ['import-share'] }, true, true],
    ['an algorithm more', { algorithms: ['ed25519', 'bip340'] }, true, false],
    ['another kind of payload', { payloads: ['digest'] }, true, true],
    ['no limit', { rate: null }, true, false],
    ['a higher count', { rate: { count: 11, seconds: 60 } }, true, false],
    ['a lower count', { rate: { count: 9, seconds: 60 } }, false, true],
    ['less time', { rate: { count: 10, seconds: 59 } }, true, false],
    ['more at once but fewer over time', { rate: { count: 20, seconds: 3600 } }, true, true],
    ['the same over time but more at once', { rate: { count: 20, seconds: 120 } }, true, false],
  ])('a rule with %s', (_, changes, grants, revokes) => {
    expect(compareRule(changes)).toMatchObject([{ subject: 'rule', kind: 'changed', grants, revokes }]);
  });

  it('a limit where there was none revokes', () => {
    const free = { ...BASE, rules: [{ ...RULE, rate: null }] };
    expect(compareConfigurations(free, BASE)).toMatchObject([{ grants: false, revokes: true }]);
  });

  it('a new rule grants and a rule that is gone revokes', () => {
    expect(compare({ rules: [{ ...RULE, id: 'other' }] })).toMatchObject([
      { id: 'hot-messages', kind: 'removed', grants: false, revokes: true },
      { id: 'other', kind: 'added', grants: true, revokes: false },
    ]);
  });

  it('whoever takes over a client name takes over its rules', () => {
    const clients = [
      { id: 'wallet', publicKey: '22'.repeat(32) },
      { id: 'backup', publicKey: '11'.repeat(32) },
    ];
    expect(compare({ clients })).toMatchObject([
      { id: 'wallet', kind: 'changed', grants: true },
      { id: 'backup', kind: 'changed', grants: true },
    ]);
  });

  it('a client or a key without a rule permits nothing', () => {
    const [wallet, backup] = BASE.clients;
    expect(
      compare({ clients: [wallet, backup, { id: 'new', publicKey: '33'.repeat(32) }] as never }),
    ).toEqual([expect.objectContaining({ subject: 'client', id: 'new', kind: 'added', grants: false })]);
    expect(compare({ keys: BASE.keys.slice(0, 1) })).toEqual([
      expect.objectContaining({ subject: 'key', id: 'cold', kind: 'removed', grants: false }),
    ]);
  });

  it('pinning a public key permits nothing, changing or dropping it does', () => {
    const pinned = { ...BASE, keys: [{ id: 'hot', type: 'ed25519', publicKey: 'aa' } as const] };
    const changed = { ...BASE, keys: [{ id: 'hot', type: 'ed25519', publicKey: 'bb' } as const] };
    const free = { ...BASE, keys: [{ id: 'hot', type: 'ed25519' } as const] };
    expect(compareConfigurations(free, pinned)).toMatchObject([{ grants: false }]);
    expect(compareConfigurations(pinned, changed)).toMatchObject([{ grants: true }]);
    expect(compareConfigurations(pinned, free)).toMatchObject([{ grants: true }]);
  });

  it('pinning the commitments of a share permits nothing, changing or dropping the pin does', () => {
    const share = { id: 'hot', type: 'frost-ed25519' } as const;
    const [free, pinned, changed] = [
      share,
      { ...share, commitments: 'aa'.repeat(48) },
      { ...share, commitments: 'bb'.repeat(48) },
    ].map((key): ConfigurationDocument1 => ({ ...BASE, keys: [key] }));
    if (free === undefined || pinned === undefined || changed === undefined) throw new RangeError('three');
    expect(compareConfigurations(free, pinned)).toMatchObject([{ grants: false }]);
    expect(compareConfigurations(pinned, changed)).toMatchObject([{ grants: true }]);
    expect(compareConfigurations(pinned, free)).toMatchObject([{ grants: true }]);
    expect(compareConfigurations(pinned, pinned)).toEqual([]);
  });

  it('an order to drop a key is said, and grants nothing', () => {
    const drop: ConfigurationDocument1['drop'] = [{ id: 'cold', type: 'p256', publicKey: '02'.repeat(33) }];
    const changes = compare({ keys: BASE.keys.slice(0, 1), drop });
    expect(changes).toMatchObject([
      { subject: 'key', id: 'cold', kind: 'removed' },
      { subject: 'drop', id: 'cold', kind: 'added', grants: false, revokes: true },
    ]);
    expect(describeChanges(changes, 1)).toContain(
      `+ drop cold: dropped from the store for good: p256 ${'02'.repeat(33)}`,
    );
    expect(compareConfigurations({ ...BASE, drop }, BASE)).toMatchObject([
      { subject: 'drop', kind: 'removed', revokes: false },
    ]);
  });

  it('an order to start a store, or another one, grants', () => {
    const order = { id: 'a', notAfter: '2026-12-01T00:00:00Z', password: 'generated' } as const;
    const ordered = { ...BASE, initialise: order };
    expect(compareConfigurations(BASE, ordered)).toMatchObject([{ kind: 'added', grants: true }]);
    expect(compareConfigurations(ordered, ordered)).toEqual([]);
    expect(
      compareConfigurations(ordered, { ...BASE, initialise: { ...order, password: 'supplied' } }),
    ).toMatchObject([{ kind: 'changed', grants: true }]);
    expect(compareConfigurations(ordered, BASE)).toMatchObject([{ kind: 'removed', grants: false }]);
  });

  it.each<[string, string | undefined, string | undefined, boolean]>([
    ['a later end', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z', true],
    ['no end any more', '2026-12-01T00:00:00Z', undefined, true],
    ['an earlier end', '2027-01-01T00:00:00Z', '2026-12-01T00:00:00Z', false],
    ['an end where there was none', undefined, '2026-12-01T00:00:00Z', false],
    ['even the last that can be written', undefined, '9999-12-31T23:59:59Z', false],
  ])('%s: what is allowed is so for longer, or for less long', (_, before, after, grants) => {
    const ending = (notAfter: string | undefined) => (notAfter === undefined ? BASE : { ...BASE, notAfter });
    expect(compareConfigurations(ending(before), ending(after))).toMatchObject([
      { subject: 'notAfter', kind: 'changed', grants, revokes: !grants },
    ]);
  });

  it('the same end in other words is no change', () => {
    const ending = (notAfter: string) => ({ ...BASE, notAfter });
    const [short, long] = [ending('2026-12-01T00:00:00Z'), ending('2026-12-01T00:00:00.000Z')];
    expect(compareConfigurations(short, long)).toEqual([]);
    expect(describeChanges(compareConfigurations(short, BASE), 1)).toContain('does not expire  [grants]');
  });

  it('another manifest is said first', () => {
    const changes = compareConfigurations(BASE, { ...BASE, manifest: '11'.repeat(48), rules: [] });
    expect(changes.map(({ subject }) => subject)).toEqual(['manifest', 'rule']);
  });

  it.each<[string, Partial<ConfigurationDocument1>, string]>([
    ['more', { rules: [RULE, { ...RULE, id: 'other' }] }, 'PERMITS MORE'],
    ['less', { rules: [] }, 'permits less'],
    ['the same', { keys: BASE.keys.slice(0, 1) }, 'permits the same'],
    ['nothing', {}, 'nothing changes'],
  ])('is summed up: %s', (_, changes, summary) => {
    expect(describeChanges(compare(changes), 1)).toContain(`against version 1: ${summary}`);
  });
});
