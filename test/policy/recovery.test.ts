import { describe, expect, it } from 'vitest';
import { lintConfiguration } from '../../policy/analysis/index.ts';
import { Accumulations, compareConfigurations, type Decision } from '../../policy/index.ts';
import {
  type ConfigurationDocument2,
  readConfiguration,
  type Recovery,
} from '../../shared/documents/configuration.ts';
import { condition, ETHER, makeConfiguration2, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { NOON, outcomeOf, request, startPolicy } from './start-policy.ts';

const recovery = (changes: Partial<Recovery> = {}): Recovery => ({
  required: ['hot'],
  keepers: 'security',
  maxUncovered: [{ asset: ETHER, max: '10', seconds: 60 }],
  graceSeconds: 0,
  ...changes,
});
const pays = (amount: bigint | null, backup?: 'kept' | 'outdated' | 'missing') =>
  request(transaction({ effects: [effect({ amount })] }), { backup });
const start = (changes: Partial<Recovery> = {}, accumulations?: Accumulations) =>
  startPolicy([permit()], { recovery: recovery(changes) }, accumulations);
const wordsOf = (decision: Decision) =>
  decision.outcome === 'denied' ? decision.reasons.map(({ rule, detail }) => [rule, detail]) : [];

describe('a key that needs a kept backup', () => {
  it('signs as rules say while one is kept', () => {
    expect(outcomeOf(start()(pays(1_000n, 'kept')))).toBe('permitted transfers');
  });

  it('signs little without one, counted over time', () => {
    const decide = start();
    expect(outcomeOf(decide(pays(6n, 'missing')))).toBe('permitted transfers');
    expect(outcomeOf(decide(pays(5n, 'missing')))).toBe('BACKUP_MISSING');
    expect(outcomeOf(decide(pays(4n, 'missing')))).toBe('permitted transfers');
    expect(outcomeOf(decide(pays(1n, 'missing')))).toBe('BACKUP_MISSING');
    expect(outcomeOf(decide(pays(10n, 'missing'), NOON + 61_000))).toBe('permitted transfers');
    expect(outcomeOf(decide(pays(10n, 'kept'), NOON + 61_000))).toBe('permitted transfers');
  });

  it('is without one where nobody says otherwise', () => {
    expect(outcomeOf(start()(pays(11n)))).toBe('BACKUP_MISSING');
    expect(outcomeOf(start()(request(undefined, { backup: 'fine' })))).toBe('permitted transfers');
    expect(outcomeOf(start({ maxUncovered: [] })(request(undefined, { backup: 'fine' })))).toBe(
      'BACKUP_MISSING',
    );
  });

  it('says which backup lacks, and what it may do without, in words', () => {
    const missing = start()(pays(11n, 'missing'));
    expect(wordsOf(missing)).toEqual([
      [
        null,
        expect.stringMatching(
          /no backup of hot is known to be kept, and without one it moves at most 0\.0*1 ETH in 60 s/,
        ),
      ],
    ]);
    const outdated = start()(pays(11n, 'outdated'));
    expect(outcomeOf(outdated)).toBe('BACKUP_OUTDATED');
    expect(wordsOf(outdated)).toEqual([[null, expect.stringMatching(/of an epoch or key of before/)]]);
  });

  it('signs nothing that nobody can count, and moves no other asset', () => {
    expect(outcomeOf(start()(pays(null, 'missing')))).toBe('BACKUP_MISSING');
    const other = transaction({ effects: [effect({ asset: 'eip155:1/slip44:61', amount: 1n })] });
    expect(outcomeOf(start()(request(other, { backup: 'missing' })))).toBe('BACKUP_MISSING');
    const blind = startPolicy(
      [permit({ payloads: ['digest'], networks: null, effects: [condition({ type: 'blind' })] })],
      { recovery: recovery() },
    );
    const digest = { payload: 'digest', transaction: undefined };
    expect(outcomeOf(blind(request(undefined, { ...digest, backup: 'missing' })))).toBe('BACKUP_MISSING');
    expect(outcomeOf(blind(request(undefined, { ...digest, backup: 'kept' })))).toBe('permitted transfers');
  });

  it('permits nothing that no rule permits, and draws on nothing when it is refused', () => {
    const accumulations = new Accumulations();
    const decide = startPolicy([permit({ keys: ['cold'] })], { recovery: recovery() }, accumulations);
    expect(outcomeOf(decide(pays(1n, 'kept')))).toBe('POLICY_DENIED');
    expect(outcomeOf(start({}, accumulations)(pays(11n, 'missing')))).toBe('BACKUP_MISSING');
    expect(accumulations.collectChanges()).toEqual([]);
  });
});

describe('the operation backup', () => {
  const asked = (changes: object = {}) =>
    ({ operation: 'backup', client: 'backend', key: 'hot', algorithm: null, ...changes }) as never;
  const backups = permit({ id: 'backups', operations: ['backup'] });

  it('needs a rule that names it, whatever algorithms the rule names', () => {
    expect(outcomeOf(startPolicy([permit()])(asked()))).toBe('POLICY_DENIED');
    expect(outcomeOf(startPolicy([backups])(asked()))).toBe('permitted backups');
    expect(outcomeOf(startPolicy([{ ...backups, algorithms: ['bip340'] }])(asked()))).toBe(
      'permitted backups',
    );
    expect(outcomeOf(startPolicy([backups])(asked({ key: 'nothing' })))).toBe('UNKNOWN_KEY');
    expect(outcomeOf(startPolicy([backups])(asked({ client: 'mallory' })))).toBe('UNKNOWN_CLIENT');
  });

  it('is not stopped by a backup that lacks, and cannot wait for approvals', () => {
    expect(outcomeOf(startPolicy([backups], { recovery: recovery({ maxUncovered: [] }) })(asked()))).toBe(
      'permitted backups',
    );
  });
});

describe('what a configuration says of backups', () => {
  const read = (changes: Partial<ConfigurationDocument2>) => readConfiguration(makeConfiguration2(changes));

  it.each([
    ['an unknown key', recovery({ required: ['nothing'] })],
    ['an unknown group', recovery({ keepers: 'nobody' })],
    ['an asset twice', recovery({ maxUncovered: [...recovery().maxUncovered, ...recovery().maxUncovered] })],
    ['no key', recovery({ required: [] })],
    ['an unknown member', { ...recovery(), extra: 1 } as Recovery],
  ])('is refused with %s', (_, wrong) => {
    expect(() => read({ recovery: wrong })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });

  it('is linted: a backup that nobody can make, keys without, and a key that signs nothing', () => {
    const codes = (changes: Partial<ConfigurationDocument2>) =>
      lintConfiguration(read(changes), NOON)
        .filter(({ subject }) => subject === 'recovery')
        .map(({ code }) => code);
    expect(codes({})).toEqual([]);
    expect(codes({ recovery: recovery() })).toContain('BACKUP_UNOBTAINABLE');
    const rules = [permit({ operations: ['sign', 'backup'] })];
    expect(codes({ recovery: recovery({ maxUncovered: [] }), rules })).toContain('UNCOVERED_SIGNS_NOTHING');
    expect(codes({ recovery: recovery(), rules })).not.toContain('BACKUP_UNOBTAINABLE');
  });

  it('is compared: fewer keys and more without a backup grant', () => {
    const compare = (before: Recovery | undefined, after: Recovery | undefined) =>
      compareConfigurations(
        read(before === undefined ? {} : { recovery: before }),
        read(after === undefined ? {} : { recovery: after }),
      ).map(({ subject, kind, grants, revokes }) => ({ subject, kind, grants, revokes }));
    const of = (kind: string, grants: boolean, revokes: boolean) => [
      { subject: 'recovery', kind, grants, revokes },
    ];
    expect(compare(undefined, recovery())).toEqual(of('added', false, true));
    expect(compare(recovery(), undefined)).toEqual(of('removed', true, false));
    expect(compare(recovery(), recovery())).toEqual([]);
    expect(compare(recovery(), recovery({ graceSeconds: 5 }))).toEqual(of('changed', true, false));
    expect(compare(recovery(), recovery({ maxUncovered: [] }))).toEqual(of('changed', false, true));
  });
});
