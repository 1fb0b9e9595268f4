import { describe, expect, it } from 'vitest';
import { MAX_EFFECTS, type Transaction } from '../../policy/transactions/transaction.ts';
import type { PermitRule } from '../../shared/documents/configuration.ts';
import { CAROL, condition, DAVE, denial, ETHER, MAINNET, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { NOON, outcomeOf, request, startPolicy } from './start-policy.ts';

const DAI = 'eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f';
const PERMITTED = 'permitted transfers';
const decideOn = (rule: Partial<PermitRule>, of: Partial<Transaction> = {}, now = NOON) =>
  startPolicy([permit(rule)])(request(transaction(of)), now);
const tryOn = (rule: Partial<PermitRule>, of: Partial<Transaction> = {}, now = NOON) =>
  outcomeOf(decideOn(rule, of, now));

describe('a permit', () => {
  it.each<[string, Partial<PermitRule>, Partial<Transaction>, Partial<Transaction>]>([
    ['network', {}, {}, { network: 'eip155:5' }],
    ['network that is not known', {}, {}, { network: null }],
    ['type of effect', {}, {}, { effects: [effect({ type: 'allowance' })] }],
    [
      'effect beside one that matches',
      {},
      {},
      { effects: [effect(), effect({ type: 'call', amount: null })] },
    ],
    [
      'destination',
      { effects: [condition({ to: { books: ['suppliers'], addresses: [] } })] },
      {},
      { effects: [effect({ to: DAVE })] },
    ],
    [
      'destination that is not known',
      { effects: [condition({ to: { books: ['suppliers'], addresses: [] } })] },
      {},
      { effects: [effect({ to: null })] },
    ],
    [
      'account',
      { effects: [condition({ to: { books: [], addresses: [`eip155:1:${CAROL}`] } })] },
      { effects: [effect({ to: CAROL.toLowerCase() })] },
      { effects: [effect({ to: DAVE })] },
    ],
    ['asset', { effects: [condition({ assets: [ETHER] })] }, {}, { effects: [effect({ asset: DAI })] }],
    [
      'asset that is not known',
      { effects: [condition({ assets: [ETHER] })] },
      {},
      { effects: [effect({ asset: null })] },
    ],
    [
      'amount',
      { effects: [condition({ amount: { min: null, max: '5' } })] },
      {},
      { effects: [effect({ amount: 6n })] },
    ],
    [
      'amount below the least',
      { effects: [condition({ amount: { min: '5', max: null } })] },
      {},
      { effects: [effect({ amount: 4n })] },
    ],
    [
      'amount without an end',
      { effects: [condition({ amount: { min: '0', max: null } })] },
      {},
      { effects: [effect({ amount: null })] },
    ],
    [
      'amount that is split',
      { effects: [condition({ amount: { min: null, max: '5' } })] },
      { effects: [effect({ amount: 3n }), effect({ amount: 2n, to: DAVE })] },
      { effects: [effect({ amount: 3n }), effect({ amount: 3n, to: DAVE })] },
    ],
    [
      'feature',
      { features: ['ethereum:creation'] },
      { features: ['ethereum:creation'] },
      { features: ['ethereum:creation', 'ethereum:blobs'] },
    ],
    [
      'fee',
      { fee: { asset: ETHER, max: '2', maxShareBasisPoints: null } },
      {},
      { fee: { asset: ETHER, amount: 3n } },
    ],
    [
      'fee in another asset',
      { fee: { asset: ETHER, max: '2', maxShareBasisPoints: null } },
      {},
      { fee: { asset: DAI, amount: 1n } },
    ],
    [
      'fee that is not known',
      { fee: { asset: ETHER, max: '2', maxShareBasisPoints: null } },
      {},
      { fee: null },
    ],
    [
      'share of the fee',
      { fee: { asset: ETHER, max: '2', maxShareBasisPoints: 4000 } },
      {},
      { effects: [effect({ amount: 4n })] },
    ],
    [
      'share of a fee of nothing that moves',
      { fee: { asset: ETHER, max: '2', maxShareBasisPoints: 4000 } },
      {},
      { effects: [effect({ asset: DAI })] },
    ],
    ['gas', { gas: { max: '21000' } }, {}, { gas: 21_001n }],
    ['gas that is not known', { gas: { max: '21000' } }, {}, { gas: null }],
    ['nonce', { nonce: { min: '7', max: '9' } }, {}, { nonce: 6n }],
    ['nonce above', { nonce: { min: '7', max: '9' } }, { nonce: 9n }, { nonce: 10n }],
    ['nonce that is not known', { nonce: { min: '0', max: '9' } }, {}, { nonce: null }],
  ])('takes no other %s than it names', (_, rule, good, bad) => {
    expect(tryOn(rule, good)).toBe(PERMITTED);
    expect(tryOn(rule, bad)).toBe('POLICY_DENIED');
  });

  it('names contracts with their functions', () => {
    const call = (selector: string | null, contract: string | null = DAVE) => ({
      effects: [effect({ type: 'call', to: null, asset: null, amount: null, contract, selector })],
    });
    const address = `eip155:1:${DAVE}`;
    const some = {
      effects: [condition({ type: 'call', contracts: [{ address, selectors: ['0xd0e30db0'] }] })],
    };
    const all = { effects: [condition({ type: 'call', contracts: [{ address, selectors: null }] })] };
    expect(tryOn(some, call('0xd0e30db0'))).toBe(PERMITTED);
    expect(tryOn(some, call('0xD0E30DB0', DAVE.toLowerCase()))).toBe(PERMITTED);
    expect(tryOn(some, call('0xd0e30db1'))).toBe('POLICY_DENIED');
    expect(tryOn(some, call(null))).toBe('POLICY_DENIED');
    expect(tryOn(all, call(null))).toBe(PERMITTED);
    expect(tryOn(all, call('0xd0e30db0', CAROL))).toBe('POLICY_DENIED');
    expect(tryOn(all, call('0xd0e30db0', null))).toBe('POLICY_DENIED');
  });

  it('names what the protocol does, and no function of a contract that has its name', () => {
    const act = (selector: string | null, contract: string | null = null) => ({
      effects: [effect({ type: 'call', to: null, asset: null, amount: null, contract, selector })],
    });
    const yay = { effects: [condition({ type: 'call', selectors: ['ballot:yay'] })] };
    expect(tryOn(yay, act('ballot:yay'))).toBe(PERMITTED);
    expect(tryOn(yay, act('ballot:nay'))).toBe('POLICY_DENIED');
    expect(tryOn(yay, act(null))).toBe('POLICY_DENIED');
    expect(tryOn(yay, act('ballot:yay', DAVE))).toBe('POLICY_DENIED');
    expect(tryOn(yay, act(null, DAVE))).toBe('POLICY_DENIED');
  });

  it.each<[string, PermitRule['time'], number, number]>([
    [
      'on a day',
      { days: ['wednesday'], hours: null, notBefore: null, notAfter: null },
      NOON,
      NOON + 86_400_000,
    ],
    [
      'within hours',
      { days: null, hours: { from: '12:00', to: '12:01' }, notBefore: null, notAfter: null },
      NOON,
      NOON + 60_000,
    ],
    [
      'until midnight',
      { days: null, hours: { from: '12:00', to: '24:00' }, notBefore: null, notAfter: null },
      NOON + 12 * 3_600_000 - 1,
      NOON - 1,
    ],
    [
      'from a moment on',
      { days: null, hours: null, notBefore: '2026-12-02T12:00:00Z', notAfter: null },
      NOON,
      NOON - 1,
    ],
    [
      'until a moment',
      { days: null, hours: null, notBefore: null, notAfter: '2026-12-02T12:00:00Z' },
      NOON,
      NOON + 1,
    ],
    [
      'with a clock that gives a time',
      { days: null, hours: { from: '00:00', to: '24:00' }, notBefore: null, notAfter: null },
      NOON,
      Number.NaN,
    ],
  ])('applies %s and at no other time', (_, time, good, bad) => {
    expect(tryOn({ time }, {}, good)).toBe(PERMITTED);
    expect(tryOn({ time }, {}, bad)).toBe('POLICY_DENIED');
  });

  it('covers a client by a group', () => {
    const decide = startPolicy([permit({ clients: ['all-clients'] })]);
    expect(outcomeOf(decide(request(undefined, { client: 'treasury' })))).toBe(PERMITTED);
    expect(outcomeOf(startPolicy([permit()])(request(undefined, { client: 'treasury' })))).toBe(
      'POLICY_DENIED',
    );
  });

  it('never permits a payload that was not decoded, unless it is blind and named', () => {
    const decide = startPolicy([permit({ payloads: ['ethereum-transaction', 'digest'], networks: null })]);
    expect(outcomeOf(decide(request(undefined, { transaction: undefined })))).toBe('POLICY_DENIED');
    expect(outcomeOf(decide(request(undefined, { transaction: undefined, payload: 'digest' })))).toBe(
      'POLICY_DENIED',
    );
    const blind = startPolicy([
      permit({ payloads: ['digest'], networks: null, effects: [condition({ type: 'blind' })] }),
    ]);
    expect(outcomeOf(blind(request(undefined, { transaction: undefined, payload: 'digest' })))).toBe(
      PERMITTED,
    );
  });

  it.each<[string, object]>([
    ['of another kind than the payload', { transaction: transaction({ kind: 'ethereum-message' }) }],
    ['of no effects', { transaction: transaction({ effects: [] }) }],
    [
      'of too many effects',
      { transaction: transaction({ effects: Array.from({ length: MAX_EFFECTS + 1 }, () => effect()) }) },
    ],
    ['of a negative amount', { transaction: transaction({ effects: [effect({ amount: -1n })] }) }],
    ['of a negative fee', { transaction: transaction({ fee: { asset: ETHER, amount: -1n } }) }],
    ['of an amount as a number', { transaction: transaction({ effects: [effect({ amount: 5 as never })] }) }],
    ['that is none', { transaction: {} }],
  ])('is no answer to a transaction %s: an evaluation that fails permits nothing', (_, changes) => {
    expect(outcomeOf(startPolicy([permit()])(request(undefined, changes)))).toBe('POLICY_FAILED');
  });

  it('says in words what does not match', () => {
    const rule = { effects: [condition({ amount: { min: null, max: '1000000000000000000' } })] };
    expect(decideOn(rule, { effects: [effect({ amount: 5n * 10n ** 18n })] })).toMatchObject({
      reasons: [{ rule: 'transfers', field: 'amount', detail: 'amount 5 ETH is over the maximum 1 ETH' }],
    });
  });
});

describe('a denial', () => {
  it.each<[string, object, Partial<Transaction>, Partial<Transaction>]>([
    ['every transaction', {}, {}, { kind: 'ethereum-message' }],
    [
      'a destination',
      { effects: [condition({ to: { books: ['suppliers'], addresses: [] } })] },
      {},
      { effects: [effect({ to: DAVE })] },
    ],
    [
      'a destination among others',
      { effects: [condition({ to: { books: ['suppliers'], addresses: [] } })] },
      { effects: [effect({ to: DAVE }), effect()] },
      { effects: [effect({ to: DAVE })] },
    ],
    [
      'a destination that may be it for all that is known',
      { effects: [condition({ to: { books: ['suppliers'], addresses: [] } })] },
      { effects: [effect({ to: null })] },
      { effects: [effect({ to: DAVE })] },
    ],
    [
      'a large amount',
      { effects: [condition({ amount: { min: '6', max: null } })] },
      { effects: [effect(), effect()] },
      {},
    ],
    [
      'an amount that nobody knows',
      { effects: [condition({ amount: { min: '6', max: null } })] },
      { effects: [effect({ amount: null })] },
      {},
    ],
    ['a network', { networks: [MAINNET] }, {}, { network: 'eip155:5' }],
    ['a network that nobody knows', { networks: [MAINNET] }, { network: null }, { network: 'eip155:5' }],
    ['a feature', { features: ['ethereum:blobs'] }, { features: ['ethereum:blobs'] }, {}],
    ['a day', { time: { days: ['wednesday'], hours: null, notBefore: null, notAfter: null } }, {}, {}],
  ])('overrides whatever permits %s', (name, rule, bad, good) => {
    const free = permit({
      payloads: ['ethereum-transaction', 'ethereum-message'],
      networks: null,
      features: ['ethereum:blobs'],
    });
    const decide = startPolicy([free, denial(rule)]);
    expect(outcomeOf(decide(request(transaction(bad))))).toBe('RULE_DENIED');
    const later = name === 'a day' ? NOON + 86_400_000 : NOON;
    expect(outcomeOf(decide(request(transaction(good)), later))).toBe(PERMITTED);
  });

  it('applies where the clock gives no time', () => {
    const time = { days: ['monday'] as ['monday'], hours: null, notBefore: null, notAfter: null };
    const decide = startPolicy([permit(), denial({ time })]);
    expect(outcomeOf(decide(request(), Number.NaN))).toBe('RULE_DENIED');
    expect(outcomeOf(decide(request()))).toBe(PERMITTED);
  });

  it('holds for its own clients, keys, algorithms and operations alone', () => {
    const decide = startPolicy([
      permit(),
      denial({ clients: ['treasury'] }),
      denial({ id: 'b', keys: ['cold'] }),
    ]);
    expect(outcomeOf(decide())).toBe(PERMITTED);
    const importing = startPolicy([permit(), denial({ operations: ['import-share'] })]);
    expect(outcomeOf(importing())).toBe(PERMITTED);
  });
});
