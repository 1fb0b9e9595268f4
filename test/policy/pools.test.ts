import { describe, expect, it } from 'vitest';
import { lintConfiguration, searchDifferences } from '../../policy/analysis/index.ts';
import { compareConfigurations, makeRequest, type PoolKeyKind } from '../../policy/index.ts';
import type { Operation } from '../../shared/operations.ts';
import type { Algorithm } from '../../shared/algorithms.ts';
import {
  type ConfigurationDocument2,
  matchesPattern,
  type PermitRule,
  type Pool,
  readConfiguration,
} from '../../shared/documents/configuration.ts';
import {
  condition,
  denial,
  makeConfiguration2,
  permit as transfers,
} from '../shared/documents/sample-rules.ts';
import { NOON, outcomeOf, startPolicy } from './start-policy.ts';

const pool = (changes: Partial<Pool> = {}): Pool => ({
  id: 'canton',
  clients: ['backend'],
  types: ['p256', 'aes-256'],
  maximum: 8,
  descriptions: [''],
  aliases: [],
  deletionDays: 7,
  ...changes,
});
const permit = (changes: Partial<PermitRule> = {}): PermitRule =>
  transfers({
    id: 'pool-rule',
    operations: ['create-key', 'sign', 'encrypt', 'decrypt', 'administer-key'],
    keys: ['canton'],
    algorithms: ['ecdsa-p256-sha256', 'aes-256-gcm'],
    payloads: ['message'],
    networks: null,
    effects: [condition({ type: 'blind' })],
    ...changes,
  });

const P256: PoolKeyKind = { type: 'p256', usage: 'sign' };
const AES: PoolKeyKind = { type: 'aes-256', usage: 'encrypt' };
const ask = (
  operation: Operation,
  poolKey: PoolKeyKind | undefined,
  algorithm: Algorithm | null,
  changes: { client?: string; key?: string } = {},
) =>
  makeRequest({
    operation,
    client: 'backend',
    key: 'canton',
    poolKey,
    algorithm,
    payload: operation === 'sign' ? 'message' : undefined,
    ...changes,
  });

describe('a request on a key of a pool', () => {
  const decideBy = (rules = [permit()], pools = [pool()], changes: Partial<ConfigurationDocument2> = {}) => {
    const decide = startPolicy(rules, { pools, ...changes });
    return (...asked: Parameters<typeof ask>) => outcomeOf(decide(ask(...asked)));
  };

  it('is decided by rules that name the pool', () => {
    const decide = decideBy();
    expect(decide('create-key', P256, null)).toBe('permitted pool-rule');
    expect(decide('sign', P256, 'ecdsa-p256-sha256')).toBe('permitted pool-rule');
    expect(decide('decrypt', AES, 'aes-256-gcm')).toBe('permitted pool-rule');
    expect(decide('administer-key', AES, null)).toBe('permitted pool-rule');
  });

  it.each([
    [
      'of a client that the pool does not name',
      'sign',
      P256,
      'ecdsa-p256-sha256',
      { client: 'treasury' },
      'UNKNOWN_KEY',
    ],
    ['in no pool', 'create-key', P256, null, { key: 'hot' }, 'UNKNOWN_KEY'],
    ['on a key of the configuration', 'encrypt', undefined, 'aes-256-gcm', { key: 'hot' }, 'UNKNOWN_KEY'],
    ['that does not say which kind of key', 'sign', undefined, 'ecdsa-p256-sha256', {}, 'UNKNOWN_KEY'],
    ['of a ceremony', 'generate', P256, 'ecdsa-p256-sha256', {}, 'UNKNOWN_KEY'],
    [
      'on a key of a type that the pool has no more',
      'sign',
      { type: 'p384', usage: 'sign' },
      'ecdsa-p384-sha384',
      {},
      'UNKNOWN_KEY',
    ],
    [
      'to make a key of a type that the pool does not have',
      'create-key',
      { type: 'p384', usage: 'sign' },
      null,
      {},
      'KEY_TYPE_REFUSED',
    ],
    [
      'to make a key for what its type is not for',
      'create-key',
      { type: 'p256', usage: 'encrypt' },
      null,
      {},
      'ALGORITHM_MISMATCH',
    ],
    ['by the algorithm of another type', 'sign', P256, 'ed25519', {}, 'ALGORITHM_MISMATCH'],
    ['by the algorithm of another usage', 'sign', AES, 'aes-256-gcm', {}, 'ALGORITHM_MISMATCH'],
    ['to decrypt with a key that signs', 'decrypt', P256, 'ecdsa-p256-sha256', {}, 'ALGORITHM_MISMATCH'],
    ['that the rule does not name', 'mac', AES, 'aes-256-gcm', {}, 'ALGORITHM_MISMATCH'],
  ] as const)('%s is refused', (_, operation, kind, algorithm, changes, code) => {
    expect(
      decideBy([permit({ clients: ['backend', 'treasury'], keys: ['canton', 'hot'] })])(
        operation,
        kind,
        algorithm,
        changes,
      ),
    ).toBe(code);
  });

  it('is denied whatever permits it, where a rule denies the pool or an algorithm of the key', () => {
    const scope = { keys: ['canton'], payloads: ['message'] } satisfies Partial<PermitRule>;
    const all = denial({ ...scope, operations: ['create-key', 'sign'], algorithms: ['ecdsa-p256-sha256'] });
    const decide = decideBy([permit(), all] as never);
    expect(decide('create-key', P256, null)).toBe('RULE_DENIED');
    expect(decide('sign', P256, 'ecdsa-p256-sha256')).toBe('RULE_DENIED');
    expect(decide('create-key', AES, null)).toBe('permitted pool-rule');
  });

  it('is made for algorithms that its rule names alone', () => {
    const decide = decideBy([permit({ algorithms: ['aes-256-gcm'] })]);
    expect(decide('create-key', P256, null)).toBe('POLICY_DENIED');
    expect(decide('administer-key', P256, null)).toBe('POLICY_DENIED');
    expect(decide('create-key', AES, null)).toBe('permitted pool-rule');
  });
});

describe('a configuration', () => {
  const read = (changes: Partial<ConfigurationDocument2>) => readConfiguration(makeConfiguration2(changes));
  const uuid = '0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b';
  it.each([
    ['a pool with the id of a key', { pools: [pool({ id: 'hot' })] }],
    ['a client of a pool that is none', { pools: [pool({ clients: ['nobody'] })] }],
    ['a pool whose id has the form of a key of a pool', { pools: [pool({ id: uuid })] }],
    [
      'a key whose id has that form beside a pool',
      { pools: [pool()], keys: [{ id: uuid, type: 'p256', networks: [] }], rules: [] },
    ],
    ['two pools of one id', { pools: [pool(), pool()] }],
    ['a pool without types', { pools: [pool({ types: [] })] }],
    ['a pool without descriptions', { pools: [pool({ descriptions: [] })] }],
    ['a deletion within a week', { pools: [pool({ deletionDays: 6 })] }],
    ['more keys than a pool has', { pools: [pool({ maximum: 1025 })] }],
    ['a rule for a pool that is none', { rules: [permit()] }],
    ['a drop that is no id', { dropPoolKeys: ['hot'] }],
    ['an empty drop', { dropPoolKeys: [] }],
  ] as const)('with %s is refused', (_, changes) => {
    expect(() => read(changes as never)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });

  it('of format 1 knows no operation on pools', () => {
    const rule = {
      id: 'all',
      operations: ['sign', 'encrypt'],
      clients: ['backend'],
      keys: ['hot'],
      algorithms: ['ed25519'],
      payloads: ['message'],
      rate: null,
    };
    const document = (operations: string[]) => ({
      format: 'holdfast-configuration/1',
      version: 1,
      manifest: '00'.repeat(48),
      clients: [{ id: 'backend', publicKey: '01'.repeat(32) }],
      keys: [{ id: 'hot', type: 'ed25519' }],
      rules: [{ ...rule, operations }],
    });
    expect(readConfiguration(document(['sign'])).rules).toHaveLength(1);
    for (const operation of ['create-key', 'encrypt', 'decrypt', 'mac', 'derive-secret', 'administer-key'])
      expect(() => readConfiguration(document(['sign', operation]))).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
      );
  });

  it.each([
    ['', '', true],
    ['', '*', true],
    ['canton-1', 'canton-*', true],
    ['canton-', 'canton-*', true],
    ['my-canton-1', 'canton-*', false],
    ['canton', 'canton-*', false],
    ['a.b', 'a*b', true],
    ['ab', 'a*b', true],
    ['aba', 'a*b', false],
    ['a', 'a*a', false],
    ['aXbXc', 'a*b*c', true],
    ['abab', '*ab', true],
    ['axb', 'a.b', false],
    ['anything', '', false],
  ])('takes %o for %o: %s', (name, pattern, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected);
  });

  it.each([
    ['a client', { clients: ['backend', 'treasury'] }, true],
    ['a type', { types: ['p256', 'aes-256', 'p384'] }, true],
    ['more keys', { maximum: 9 }, true],
    ['an alias', { aliases: ['*'] }, true],
    ['a description', { descriptions: ['', 'x'] }, true],
    ['fewer types', { types: ['p256'] }, false],
    ['fewer keys', { maximum: 7 }, false],
    ['a later deletion', { deletionDays: 8 }, false],
  ] as const)('with %s of a pool is compared as what it is', (_, changes, grants) => {
    const [before, after] = [pool(), pool(changes as never)].map((one) =>
      read({ pools: [one], rules: [permit()] }),
    );
    if (before === undefined || after === undefined) throw new TypeError('expected two');
    expect(compareConfigurations(before, after)).toEqual([
      expect.objectContaining({ subject: 'pool', id: 'canton', kind: 'changed', grants, revokes: !grants }),
    ]);
    expect(compareConfigurations(after, before)).toEqual([
      expect.objectContaining({ subject: 'pool', kind: 'changed', grants: !grants, revokes: grants }),
    ]);
  });

  it('that drops keys for good takes something away', () => {
    const [before, after] = [read({}), read({ dropPoolKeys: [uuid] })];
    expect(compareConfigurations(before, after)).toEqual([
      expect.objectContaining({ subject: 'poolKey', id: uuid, kind: 'added', grants: false, revokes: true }),
    ]);
  });

  it('is searched for operations on pools that another one permits', () => {
    const [less, more] = [['sign'], ['sign', 'decrypt']].map((operations) =>
      read({ pools: [pool()], rules: [permit({ operations } as never)] }),
    );
    if (less === undefined || more === undefined) throw new TypeError('expected two');
    const { gained, lost } = searchDifferences(less, more, NOON);
    expect(gained?.candidate).toMatchObject({
      operation: 'decrypt',
      key: 'canton',
      poolKey: AES,
      algorithm: 'aes-256-gcm',
    });
    expect(lost).toBeNull();
    expect(searchDifferences(more, less, NOON).gained).toBeNull();
  });

  const lint = (changes: Partial<ConfigurationDocument2>) =>
    lintConfiguration(read(changes), NOON).map(({ code, subject }) => `${code} ${subject ?? ''}`);

  it.each([
    [
      'a pool that nobody may make a key in',
      { pools: [pool()], rules: [permit({ operations: ['sign'] })] },
      'POOL_WITHOUT_CREATION canton',
    ],
    [
      'a client that does not see the pool',
      { pools: [pool()], rules: [permit({ clients: ['all-clients'] })] },
      'POOL_UNSEEN pool-rule',
    ],
    [
      'more keys than the store has room for',
      {
        pools: Array.from({ length: 11 }, (_, index) => pool({ id: `p${index}`, maximum: 1024 })),
        rules: [],
      },
      'POOLS_EXCEED_STORE ',
    ],
    [
      'decryption without a type that decrypts',
      {
        pools: [pool({ types: ['p256'] })],
        rules: [permit({ algorithms: ['ecdsa-p256-sha256'], operations: ['create-key', 'sign', 'decrypt'] })],
      },
      'RULE_NAME_UNREACHABLE pool-rule',
    ],
    [
      'operations on pools with a key',
      {
        pools: [pool()],
        rules: [permit({ keys: ['hot'], algorithms: ['ecdsa-secp256k1'], operations: ['encrypt'] })],
      },
      'RULE_UNREACHABLE pool-rule',
    ],
    [
      'approvals for what cannot wait',
      {
        pools: [pool()],
        rules: [permit({ approvals: { all: [{ group: 'security', count: 1 }], expiresSeconds: 60 } })],
      },
      'APPROVALS_NOT_AWAITED pool-rule',
    ],
  ] as const)('with %s is found by the lint', (_, changes, finding) => {
    expect(lint(changes as never)).toContain(finding);
  });

  it('of a pool that is used has nothing of that', () => {
    const found = lint({ pools: [pool()], rules: [permit()] });
    expect(found.filter((one) => /POOL|UNREACHABLE|AWAITED/.test(one))).toEqual([]);
  });
});
