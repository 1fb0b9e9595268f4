import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CreatePoolKeyRequest, PoolKeyChange } from '../../../shared/api/pool-keys.ts';
import { codeOf, creation, DAY, permit, pool, type PoolNode, startPoolNode } from './pool-node.ts';

const MESSAGE = { kind: 'message', message: '1220'.padEnd(68, '7') } as const;
const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const hex = (text: string) => Buffer.from(text).toString('hex');

const make = async (node: PoolNode, changes: object = {}) =>
  (await node.pools.create('participant', 'canton', creation(changes))).result;
const sign = (node: PoolNode, key: string, client = 'participant') =>
  node.pipeline.sign(client, { key, algorithm: 'ecdsa-p256-sha256', payload: MESSAGE });

describe('a creation', () => {
  it('makes a key that signs at once, and leaves its entry with pool, key and rule', async () => {
    const node = await startPoolNode();
    const { result: key, rule } = await node.pools.create('participant', 'canton', creation());
    expect(key).toMatchObject({
      pool: 'canton',
      type: 'p256',
      usage: 'sign',
      state: 'enabled',
      named: false,
    });
    expect(rule).toBe('all');
    const signed = await sign(node, key.id);
    if (signed.outcome === 'pending') throw new TypeError('expected a signature');
    const [made] = signed.result;
    const publicKey = createPublicKey({
      key: Buffer.from(key.publicKey ?? '', 'hex'),
      format: 'der',
      type: 'spki',
    });
    const message = Buffer.from(MESSAGE.message, 'hex');
    const signature = made?.signature ?? new Uint8Array();
    expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    expect(node.decisions().map(({ request }) => request)).toEqual([
      {
        client: 'participant',
        key: 'canton',
        poolKey: { id: key.id, type: 'p256', usage: 'sign' },
        algorithm: null,
        operation: 'create-key',
        payload: null,
      },
      {
        client: 'participant',
        key: 'canton',
        poolKey: { id: key.id, type: 'p256', usage: 'sign' },
        algorithm: 'ecdsa-p256-sha256',
        operation: 'sign',
        payload: 'message',
      },
    ]);
  });

  it('gives the same key for the same token, also at the same time and after a restart', async () => {
    const node = await startPoolNode();
    const body = creation();
    const [one, other] = await Promise.all([
      node.pools.create('participant', 'canton', body),
      node.pools.create('participant', 'canton', body),
    ]);
    expect(other.result).toEqual(one.result);
    const again = await node.restart();
    expect((await again.pools.create('participant', 'canton', body)).result).toEqual(one.result);
    expect(again.pools.list('participant').pools[0]?.keys).toHaveLength(1);
  });

  it('gives a key again whose rate is used up, and to nobody whom no rule permits any more', async () => {
    const rules = [permit({ rate: { count: 1, seconds: 1000 } })];
    const node = await startPoolNode({ rules, time: { now: Date.UTC(2030, 0), monotonic: 0 } });
    node.time.monotonic = 1_000_000;
    const body = creation();
    const { result } = await node.pools.create('participant', 'canton', body);
    expect(await codeOf(node.pools.create('participant', 'canton', creation()))).toBe('RATE_LIMITED');
    expect((await node.pools.create('participant', 'canton', body)).result).toEqual(result);
    const closed = await node.restart({ version: 2, rules: [permit({ operations: ['sign'] })] });
    expect(await codeOf(closed.pools.create('participant', 'canton', body))).toBe('POLICY_DENIED');
  });

  it.each([
    ['another body of a token', { description: 'participant-1' }, 'TOKEN_REUSED'],
    ['another type of a token', { type: 'ed25519' }, 'TOKEN_REUSED'],
  ])('refuses %s', async (_, changes, code) => {
    const node = await startPoolNode();
    const body = creation();
    await node.pools.create('participant', 'canton', body);
    const other = { ...body, ...changes } as CreatePoolKeyRequest;
    expect(await codeOf(node.pools.create('participant', 'canton', other))).toBe(code);
    expect(node.decisions().at(-1)).toMatchObject({ outcome: 'permitted', failure: code });
  });

  it.each([
    ['of a client that does not see the pool', 'other', {}, 'UNKNOWN_KEY'],
    ['of a type that the pool does not have', 'participant', { type: 'rsa-2048' }, 'KEY_TYPE_REFUSED'],
    ['for a usage that the type does not have', 'participant', { type: 'aes-256' }, 'ALGORITHM_MISMATCH'],
    ['with a description of no pattern', 'participant', { description: 'mine' }, 'DESCRIPTION_REFUSED'],
  ])('is refused %s', async (_, client, changes, code) => {
    const rules = [permit({ clients: ['participant', 'other'] })];
    const node = await startPoolNode({ rules });
    const body = creation(changes) as CreatePoolKeyRequest;
    expect(await codeOf(node.pools.create(client, 'canton', body))).toBe(code);
    expect(node.keys.list('canton')).toEqual([]);
  });

  it('is refused in what is no pool', async () => {
    const node = await startPoolNode({ rules: [permit({ keys: ['canton', 'hot'] })] });
    for (const name of ['hot', 'nowhere'])
      expect(await codeOf(node.pools.create('participant', name, creation()))).toBe('UNKNOWN_KEY');
  });

  it('is refused where the pool is full, however many ask at once', async () => {
    const node = await startPoolNode({ pools: [pool({ maximum: 3 })] });
    const codes = await Promise.all(
      Array.from({ length: 12 }, () =>
        node.pools.create('participant', 'canton', creation()).then(
          () => 'made',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(codes.filter((code) => code === 'made')).toHaveLength(3);
    expect(codes.filter((code) => code === 'POOL_FULL')).toHaveLength(9);
    expect(node.keys.list('canton')).toHaveLength(3);
    expect(node.decisions().filter(({ failure }) => failure === 'POOL_FULL')).toHaveLength(9);
  });

  it('needs a rule that names an algorithm of the key', async () => {
    const node = await startPoolNode({ rules: [permit({ algorithms: ['ed25519'] })] });
    expect(await codeOf(node.pools.create('participant', 'canton', creation()))).toBe('POLICY_DENIED');
    expect(await make(node, { type: 'ed25519' })).toMatchObject({ type: 'ed25519' });
  });

  it('is denied by a denial on its algorithm, and never waits for approvals', async () => {
    const { effects: _, features: __, ...scope } = permit();
    const denial = { ...pick(scope), id: 'no', effect: 'deny', effects: null, features: null } as const;
    const node = await startPoolNode({ rules: [permit(), { ...denial, algorithms: ['ecdsa-p256-sha256'] }] });
    expect(await codeOf(node.pools.create('participant', 'canton', creation()))).toBe('RULE_DENIED');
    const approvers = [
      { id: 'ann', credentials: [{ type: 'ed25519' as const, publicKey: 'a'.repeat(64) }] },
      { id: 'bob', credentials: [{ type: 'ed25519' as const, publicKey: 'b'.repeat(64) }] },
    ];
    const asking = await startPoolNode({
      parts: { approvers, approverGroups: [{ id: 'people', approvers: ['ann', 'bob'] }] },
      rules: [permit({ approvals: { all: [{ group: 'people', count: 1 }], expiresSeconds: 60 } })],
    });
    expect(await codeOf(asking.pools.create('participant', 'canton', creation()))).toBe(
      'APPROVALS_NOT_AWAITED',
    );
  });
});

const pick = ({
  operations,
  clients,
  keys,
  algorithms,
  payloads,
  networks,
  time,
}: ReturnType<typeof permit> | Omit<ReturnType<typeof permit>, 'effects' | 'features'>) => ({
  operations,
  clients,
  keys,
  algorithms,
  payloads,
  networks,
  time,
});

describe('a key', () => {
  it('of a pool that a client does not see is no key to it, permitted or not', async () => {
    const rules = [permit({ clients: ['participant', 'other'] })];
    const node = await startPoolNode({ rules });
    const { id } = await make(node);
    const aes = await make(node, { type: 'aes-256', usage: 'encrypt' });
    const asked = { algorithm: 'aes-256-gcm', plaintext: '00' } as const;
    expect(await codeOf(sign(node, id, 'other'))).toBe('UNKNOWN_KEY');
    expect(await codeOf(node.pools.encrypt('other', aes.id, asked))).toBe('UNKNOWN_KEY');
    expect(await codeOf(node.pools.change('other', id, { change: 'disable' }))).toBe('UNKNOWN_KEY');
    expect(await codeOf(node.pools.describe('other', id))).toBe('POOL_KEY_UNKNOWN');
    expect(node.pools.list('other')).toEqual({ pools: [], keys: [] });
    // Nothing of the pool is in what the client learns by its receipt.
    for (const { request } of node.decisions().filter(({ request: { client } }) => client === 'other')) {
      expect(request.poolKey).toBeUndefined();
      expect(request.key).not.toBe('canton');
    }
  });

  it('that is none is unknown', async () => {
    const node = await startPoolNode();
    expect(await codeOf(sign(node, UNKNOWN))).toBe('UNKNOWN_KEY');
    expect(await codeOf(node.pools.describe('participant', UNKNOWN))).toBe('POOL_KEY_UNKNOWN');
  });

  it('does what its usage says and nothing else', async () => {
    const node = await startPoolNode();
    const { id } = await make(node);
    const asked = { algorithm: 'aes-256-gcm', plaintext: '00' } as const;
    expect(await codeOf(node.pools.encrypt('participant', id, asked))).toBe('ALGORITHM_MISMATCH');
    const peer = (await make(node)).publicKey ?? '';
    expect(await codeOf(node.pools.deriveSecret('participant', id, { publicKey: peer }))).toBe(
      'ALGORITHM_MISMATCH',
    );
    const agree = await make(node, { usage: 'agree' });
    expect(await codeOf(sign(node, agree.id))).toBe('ALGORITHM_MISMATCH');
    expect((await node.pools.deriveSecret('participant', agree.id, { publicKey: peer })).result).toHaveLength(
      32,
    );
  });

  it.each([
    ['disabled', { change: 'disable' }, 'KEY_DISABLED'],
    ['pending deletion', { change: 'schedule-deletion', days: 7 }, 'KEY_PENDING_DELETION'],
  ] as const)(
    'that is %s neither signs nor decrypts nor encrypts, after a restart either',
    async (_, change, code) => {
      let node = await startPoolNode();
      const signing = await make(node);
      const aes = await make(node, { type: 'aes-256', usage: 'encrypt' });
      const mac = await make(node, { type: 'hmac-256', usage: 'mac' });
      const asked = { algorithm: 'aes-256-gcm', plaintext: hex('secret') } as const;
      const { result } = await node.pools.encrypt('participant', aes.id, asked);
      const ciphertext = Buffer.from(result).toString('hex');
      for (const { id } of [signing, aes, mac]) await node.pools.change('participant', id, change);
      for (let turn = 0; turn < 2; turn += 1) {
        expect(await codeOf(sign(node, signing.id))).toBe(code);
        expect(await codeOf(node.pools.encrypt('participant', aes.id, asked))).toBe(code);
        const decrypt = node.pools.decrypt('participant', aes.id, { algorithm: 'aes-256-gcm', ciphertext });
        expect(await codeOf(decrypt)).toBe(code);
        const message = { algorithm: 'hmac-sha256', message: '00' } as const;
        expect(await codeOf(node.pools.mac('participant', mac.id, message))).toBe(code);
        node = await node.restart();
      }
    },
  );

  it('that is disabled while it signs gives no signature', async () => {
    const node = await startPoolNode();
    const { id } = await make(node);
    const [disabled, signed] = await Promise.allSettled([
      node.pools.change('participant', id, { change: 'disable' }),
      sign(node, id),
    ]);
    expect(disabled.status).toBe('fulfilled');
    expect(signed).toMatchObject({ status: 'rejected', reason: { code: 'KEY_DISABLED' } });
    expect(node.decisions().at(-1)).toMatchObject({ failure: 'KEY_DISABLED', signatures: [] });
  });

  it('is deleted when its time has come by the clock of the NSM, and comes back before that alone', async () => {
    const node = await startPoolNode();
    const [kept, gone] = [await make(node), await make(node)];
    for (const { id } of [kept, gone])
      await node.pools.change('participant', id, { change: 'schedule-deletion', days: 7 });
    node.time.now += 7 * DAY - 1;
    const { result } = await node.pools.change('participant', kept.id, { change: 'cancel-deletion' });
    expect(result).toMatchObject({ state: 'disabled', deletionTime: null });
    await node.pools.change('participant', kept.id, { change: 'enable' });
    node.time.now += 1;
    expect(await codeOf(sign(node, gone.id))).toBe('UNKNOWN_KEY');
    await node.log.seal();
    expect([...node.storage.records.keys()].filter((name) => name.includes(gone.id))).toEqual([]);
    expect(await sign(node, kept.id)).toMatchObject({ outcome: 'permitted' });
  });

  it('is deleted by a start, too', async () => {
    const node = await startPoolNode();
    const { id } = await make(node);
    await node.pools.change('participant', id, { change: 'schedule-deletion', days: 7 });
    node.time.now += 8 * DAY;
    const again = await node.restart();
    expect(again.keys.list('canton')).toEqual([]);
    expect([...node.storage.records.keys()].filter((name) => name.includes(id))).toEqual([]);
  });

  it('says whether a request has named it, also one that only reads', async () => {
    const node = await startPoolNode();
    const { id } = await make(node);
    expect(node.pools.list('participant').pools[0]?.keys[0]).toMatchObject({ id, named: false });
    expect(await node.pools.describe('participant', id)).toMatchObject({ named: true });
    const again = await node.restart();
    expect(again.pools.list('participant').pools[0]?.keys[0]).toMatchObject({ id, named: true });
  });
});

describe('a change', () => {
  const refused = [
    [{ change: 'describe', description: 'mine' }, 'DESCRIPTION_REFUSED'],
    [{ change: 'add-alias', alias: 'mine' }, 'ALIAS_REFUSED'],
    [{ change: 'remove-alias', alias: 'canton/none' }, 'ALIAS_UNKNOWN'],
    [{ change: 'move-alias', alias: 'canton/none' }, 'ALIAS_UNKNOWN'],
    [{ change: 'add-alias', alias: 'canton/taken' }, 'ALIAS_EXISTS'],
    [{ change: 'move-alias', alias: 'canton/symmetric' }, 'ALIAS_MISMATCH'],
    [{ change: 'cancel-deletion' }, 'KEY_NOT_PENDING_DELETION'],
    [{ change: 'schedule-deletion', days: 8 }, 'DELETION_TOO_SOON'],
    [{ change: 'tag', tags: tags(50) }, 'POOL_METADATA_FULL'],
  ] as const;

  it.each(refused)('%o is refused with %s, and changes nothing', async (change, code) => {
    const node = await startPoolNode({ pools: [pool({ deletionDays: 9 })] });
    const { id } = await make(node, { tags: [{ key: 'CreatedBy', value: 'Canton' }] });
    const taken = await make(node);
    const symmetric = await make(node, { type: 'aes-256', usage: 'encrypt' });
    await node.pools.change('participant', taken.id, { change: 'add-alias', alias: 'canton/taken' });
    await node.pools.change('participant', symmetric.id, { change: 'add-alias', alias: 'canton/symmetric' });
    const before = node.keys.list('canton');
    expect(await codeOf(node.pools.change('participant', id, change as never))).toBe(code);
    expect(node.keys.list('canton')).toEqual(before);
    expect((await node.restart()).keys.list('canton')).toEqual(before);
  });

  it('gives an alias to one key, of two that ask at once', async () => {
    const node = await startPoolNode();
    const keys = [await make(node), await make(node)];
    const outcomes = await Promise.allSettled(
      keys.map(({ id }) =>
        node.pools.change('participant', id, { change: 'add-alias', alias: 'canton/one' }),
      ),
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'ALIAS_EXISTS' },
    });
    const aliases = (await node.restart()).keys.list('canton').flatMap((key) => key.aliases);
    expect(aliases).toEqual(['canton/one']);
  });

  it('moves an alias within its pool, and never out of another one', async () => {
    const second = pool({ id: 'second', aliases: ['*'] });
    const rules = [permit({ keys: ['canton', 'second'] })];
    const node = await startPoolNode({ pools: [pool(), second], rules });
    const [one, other] = [await make(node), await make(node)];
    const { result: foreign } = await node.pools.create('participant', 'second', creation());
    await node.pools.change('participant', one.id, { change: 'add-alias', alias: 'canton/one' });
    const move = { change: 'move-alias', alias: 'canton/one' } as const;
    expect(await codeOf(node.pools.change('participant', foreign.id, move))).toBe('ALIAS_UNKNOWN');
    await node.pools.change('participant', other.id, move);
    await node.pools.change('participant', other.id, move);
    const again = await node.restart();
    const found = new Map(again.keys.list('canton').map(({ id, aliases }) => [id, aliases]));
    expect(found.get(other.id)).toEqual(['canton/one']);
    expect(found.get(one.id)).toEqual([]);
  });

  it('takes no name of a key of the configuration', async () => {
    const node = await startPoolNode({ pools: [pool({ aliases: ['*'] })] });
    const { id } = await make(node);
    const change = { change: 'add-alias', alias: 'hot' } as const;
    expect(await codeOf(node.pools.change('participant', id, change))).toBe('ALIAS_EXISTS');
  });

  it('takes no name that doors give to a key of the configuration', async () => {
    const keys = [{ id: 'hot.wallet', type: 'ed25519' as const, networks: [] }];
    const node = await startPoolNode({ pools: [pool({ aliases: ['*'] })], parts: { keys } });
    const { id } = await make(node);
    const change = { change: 'add-alias', alias: 'hot/wallet' } as const;
    expect(await codeOf(node.pools.change('participant', id, change))).toBe('ALIAS_EXISTS');
  });

  it('says nothing of names that are none of the pool', async () => {
    const node = await startPoolNode({ pools: [pool(), pool({ id: 'second', aliases: ['*'] })] });
    const { id } = await make(node);
    for (const alias of ['hot', 'nobody'])
      expect(await codeOf(node.pools.change('participant', id, { change: 'add-alias', alias }))).toBe(
        'ALIAS_REFUSED',
      );
  });

  it('of what a key is called comes back after a restart', async () => {
    const node = await startPoolNode();
    const { id } = await make(node);
    for (const change of [
      { change: 'describe', description: 'participant-namespace' },
      {
        change: 'tag',
        tags: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      },
      { change: 'tag', tags: [{ key: 'a', value: '3' }] },
      { change: 'untag', keys: ['b'] },
      { change: 'add-alias', alias: 'canton/ns' },
      { change: 'disable' },
    ] as PoolKeyChange[])
      await node.pools.change('participant', id, change);
    expect((await node.restart()).keys.list('canton')[0]).toMatchObject({
      description: 'participant-namespace',
      tags: [{ key: 'a', value: '3' }],
      aliases: ['canton/ns'],
      state: 'disabled',
    });
  });
});

function tags(count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `tag-${index}`, value: '' }));
}

describe('a symmetric key', () => {
  const open = async () => {
    const node = await startPoolNode();
    const key = await make(node, { type: 'aes-256', usage: 'encrypt' });
    const other = await make(node, { type: 'aes-256', usage: 'encrypt' });
    return { node, key, other };
  };
  const algorithm = 'aes-256-gcm' as const;

  it('decrypts what it has encrypted, with the same context alone, and the log has no plaintext', async () => {
    const { node, key } = await open();
    const plaintext = hex('a plaintext that nobody else may see');
    const context = { purpose: 'export', tenant: '1' };
    const { result } = await node.pools.encrypt('participant', key.id, { algorithm, plaintext, context });
    const ciphertext = Buffer.from(result).toString('hex');
    expect(ciphertext.slice(2, 34)).toBe(key.id.replaceAll('-', ''));
    const decrypt = (changes: object) =>
      node.pools.decrypt('participant', key.id, { algorithm, ciphertext, ...changes });
    const opened = await decrypt({ context: { tenant: '1', purpose: 'export' } });
    expect(Buffer.from(opened.result).toString('hex')).toBe(plaintext);
    for (const wrong of [
      {},
      { context: {} },
      { context: { purpose: 'export' } },
      { context: { purpose: 'export1', tenant: '' } },
    ])
      expect(await codeOf(decrypt(wrong))).toBe('DECRYPTION_FAILED');
    for (const entry of node.storage.entries) {
      expect(Buffer.from(entry).toString()).not.toContain(plaintext);
      expect(Buffer.from(entry).toString()).not.toContain('nobody else');
    }
  });

  it('refuses a ciphertext of another key, and every altered one', async () => {
    const { node, key, other } = await open();
    const { result } = await node.pools.encrypt('participant', key.id, { algorithm, plaintext: '00ff' });
    const ciphertext = Buffer.from(result).toString('hex');
    const decrypt = (id: string, text: string) =>
      codeOf(node.pools.decrypt('participant', id, { algorithm, ciphertext: text }));
    expect(await decrypt(other.id, ciphertext)).toBe('CIPHERTEXT_OTHER_KEY');
    const renamed = `01${other.id.replaceAll('-', '')}${ciphertext.slice(34)}`;
    expect(await decrypt(other.id, renamed)).toBe('DECRYPTION_FAILED');
    for (let index = 0; index < result.length; index += 1) {
      const altered = Buffer.from(result);
      altered[index] = (altered[index] ?? 0) ^ 1;
      const code = await decrypt(key.id, altered.toString('hex'));
      expect(['CIPHERTEXT_OTHER_KEY', 'DECRYPTION_FAILED']).toContain(code);
    }
    for (let length = 1; length < result.length; length += 1)
      expect(['CIPHERTEXT_OTHER_KEY', 'DECRYPTION_FAILED']).toContain(
        await decrypt(key.id, ciphertext.slice(0, 2 * length)),
      );
  }, 60_000);

  it('draws data keys that it decrypts, and encrypts again by another key as two decisions', async () => {
    const { node, key, other } = await open();
    const { result } = await node.pools.dataKey('participant', key.id, { bytes: 32, plaintext: true });
    const before = node.decisions().length;
    const from = { algorithm, ciphertext: Buffer.from(result.ciphertext).toString('hex') };
    const { encryption } = await node.pools.reEncrypt('participant', key.id, {
      from,
      to: { key: other.id, algorithm },
    });
    const decisions = node.decisions().slice(before);
    expect(decisions.map(({ request }) => [request.operation, request.poolKey?.id])).toEqual([
      ['decrypt', key.id],
      ['encrypt', other.id],
    ]);
    const opened = await node.pools.decrypt('participant', other.id, {
      algorithm,
      ciphertext: Buffer.from(encryption.result).toString('hex'),
    });
    expect(opened.result).toEqual(result.plaintext);
  });

  it('encrypts again for nobody who may not decrypt', async () => {
    const { node, key, other } = await open();
    const { result } = await node.pools.encrypt('participant', key.id, { algorithm, plaintext: '00' });
    const closed = await node.restart({ version: 2, rules: [permit({ operations: ['encrypt'] })] });
    const from = { algorithm, ciphertext: Buffer.from(result).toString('hex') };
    const asked = closed.pools.reEncrypt('participant', key.id, { from, to: { key: other.id, algorithm } });
    expect(await codeOf(asked)).toBe('POLICY_DENIED');
    expect(closed.decisions().filter(({ request }) => request.operation === 'encrypt')).toHaveLength(1);
  });

  it('has HMACs of another key verified as wrong', async () => {
    const { node } = await open();
    const one = await make(node, { type: 'hmac-256', usage: 'mac' });
    const two = await make(node, { type: 'hmac-256', usage: 'mac' });
    const body = { algorithm: 'hmac-sha256', message: hex('hello') } as const;
    const { result } = await node.pools.mac('participant', one.id, body);
    const mac = Buffer.from(result).toString('hex');
    expect((await node.pools.verifyMac('participant', one.id, { ...body, mac })).result).toBe(true);
    expect((await node.pools.verifyMac('participant', two.id, { ...body, mac })).result).toBe(false);
  });
});

describe('a configuration', () => {
  it('that drops a pool or a type serves its keys no more, and again when it comes back', async () => {
    const node = await startPoolNode();
    const [p256, ed25519] = [await make(node), await make(node, { type: 'ed25519' })];
    await node.pools.change('participant', p256.id, { change: 'add-alias', alias: 'canton/one' });
    const narrow = await node.restart({ version: 2, pools: [pool({ types: ['ed25519'] })] });
    expect(await codeOf(sign(narrow, p256.id))).toBe('UNKNOWN_KEY');
    expect(narrow.keys.list('canton').map(({ id }) => id)).toEqual([ed25519.id]);
    expect(narrow.pipeline.storeUsage.unnamed).toBe(2);
    const change = { change: 'add-alias', alias: 'canton/one' } as const;
    expect(await codeOf(narrow.pools.change('participant', ed25519.id, change))).toBe('ALIAS_EXISTS');
    const none = await narrow.restart({ version: 3, pools: [], rules: [] });
    expect(none.pipeline.storeUsage.unnamed).toBe(4);
    const back = await none.restart({ version: 4, pools: [pool()], rules: [permit()] });
    expect(await sign(back, p256.id)).toMatchObject({ outcome: 'permitted' });
    expect(back.pipeline.storeUsage.unnamed).toBe(0);
  });

  it('deletes the keys that it orders to drop, and no others', async () => {
    const node = await startPoolNode();
    const [gone, kept] = [await make(node), await make(node)];
    const dropping = await node.restart({ version: 2, parts: { dropPoolKeys: [gone.id] } });
    expect(dropping.keys.list('canton').map(({ id }) => id)).toEqual([kept.id]);
    expect([...node.storage.records.keys()].filter((name) => name.includes(gone.id))).toEqual([]);
  });

  it('lists for a client the keys of the configuration that permits name for it', async () => {
    const hot = permit({
      id: 'hot',
      keys: ['hot'],
      operations: ['sign'],
      algorithms: ['ed25519'],
      payloads: ['message'],
    });
    const node = await startPoolNode({ rules: [permit(), hot] });
    expect(node.pools.list('participant').keys).toEqual([
      {
        id: 'hot',
        type: 'ed25519',
        publicKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        grants: { operations: ['sign'], algorithms: ['ed25519'], payloads: ['message'] },
      },
    ]);
  });
});

describe('a parent', () => {
  it('that loses a record of a key has a node that does not start', async () => {
    const node = await startPoolNode();
    const { id } = await make(node);
    for (const table of ['pool-keys', 'pool-secrets']) {
      const kept = node.storage.snapshot();
      node.storage.records.delete(`${table}/${id}`);
      expect(await codeOf(node.restart())).toBe('STORE_RECORD_MISSING');
      node.storage.records = kept;
    }
    expect((await node.restart()).keys.list('canton')).toHaveLength(1);
  });

  it('that confirms no commit gets no key out of the node, and the next start has it or not', async () => {
    for (const lost of ['onCommit', 'onCommitted'] as const) {
      const node = await startPoolNode();
      const body = creation();
      node.storage[lost] = () => {
        throw new Error('the connection is gone');
      };
      expect(await codeOf(node.pools.create('participant', 'canton', body))).toBe('STORE_UNCERTAIN');
      node.storage[lost] = () => undefined;
      const again = await node.restart();
      const held = again.keys.list('canton');
      expect(held).toHaveLength(lost === 'onCommit' ? 0 : 1);
      const entries = again.decisions().filter(({ request }) => request.operation === 'create-key');
      expect(entries.map(({ request }) => request.poolKey?.id)).toEqual(held.map(({ id }) => id));
      const { result } = await again.pools.create('participant', 'canton', body);
      expect(again.keys.list('canton').map(({ id }) => id)).toEqual([result.id]);
      if (held[0] !== undefined) expect(result.id).toBe(held[0].id);
    }
  });
});

describe('what a node keeps of its keys', () => {
  it('has an end, before which a creation is refused and after which everything else goes on', async () => {
    const description = 'participant-'.padEnd(8000, 'x');
    const tags = Array.from({ length: 50 }, (_, index) => ({
      key: `${index}`.padEnd(128, 'k'),
      value: 'v'.repeat(256),
    }));
    const node = await startPoolNode({ pools: [pool({ maximum: 1024 })] });
    let code = 'made';
    let made = 0;
    const first = await make(node);
    while (code === 'made' && made < 1024) {
      const body = creation({ type: 'hmac-256', usage: 'mac', description, tags }) as CreatePoolKeyRequest;
      code = await node.pools.create('participant', 'canton', body).then(
        () => 'made',
        (error: { code: string }) => error.code,
      );
      if (code === 'made') made += 1;
    }
    expect(code).toBe('POOL_METADATA_FULL');
    expect(made).toBeGreaterThan(250);
    expect(await sign(node, first.id)).toMatchObject({ outcome: 'permitted' });
    expect((await node.restart()).keys.list('canton')).toHaveLength(made + 1);
  }, 60_000);
});
