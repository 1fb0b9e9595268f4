import {
  createPublicKey,
  createVerify,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  constants,
} from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import {
  ClientError,
  documentReceipt,
  type NodeClient,
  NodeRefusal,
  type PoolKey,
  verifyResponseReceipt,
} from '../../client/index.ts';
import { CLIENT } from '../../local/testbed/scenario.ts';
import type { CreatePoolKeyRequest } from '../../shared/api/pool-keys.ts';
import type { PermitRule } from '../../shared/documents/configuration.ts';
import { runHoldfast } from '../cli/in-process.ts';
import { DecisionNode, permitTransfers, waitingId } from './support/decision-node.ts';

const MULTIHASH = `1220${'5e'.repeat(32)}`;
const hex = (text: string) => Buffer.from(text).toString('hex');

const blind = { type: 'blind', to: null, assets: null, contracts: null, amount: null } as const;
const permit = (id: string, pool: string, changes: Partial<PermitRule>): PermitRule =>
  permitTransfers(id, pool, 'message', { effects: [blind], ...changes });

let place: DecisionNode;
let client: NodeClient;

beforeAll(async () => {
  place = await DecisionNode.open(
    [{ id: 'hot', type: 'ed25519', networks: [] }],
    [
      permit('everything', 'canton', {
        operations: ['create-key', 'sign', 'encrypt', 'decrypt', 'mac', 'derive-secret', 'administer-key'],
        algorithms: [
          'ecdsa-p256-sha256',
          'rsa-pss-sha256',
          'rsa-oaep-sha256',
          'aes-256-gcm',
          'hmac-sha256',
          'ecdh',
        ],
        payloads: ['message', 'digest'],
      }),
      permit('asked', 'treasury-pool', {
        algorithms: ['ecdsa-p256-sha256'],
        approvals: { all: [{ group: 'treasury', count: 1 }], expiresSeconds: 600 },
      }),
      permit('made', 'treasury-pool', { operations: ['create-key'], algorithms: ['ecdsa-p256-sha256'] }),
    ],
    {
      pools: [
        {
          id: 'canton',
          clients: [CLIENT],
          types: ['p256', 'rsa-2048', 'aes-256', 'hmac-256'],
          maximum: 32,
          descriptions: ['', 'participant-*'],
          aliases: ['*'],
          deletionDays: 7,
        },
        {
          id: 'treasury-pool',
          clients: [CLIENT],
          types: ['p256'],
          maximum: 4,
          descriptions: [''],
          aliases: [],
          deletionDays: 30,
        },
      ],
    },
  );
  await place.start();
  client = await place.connect();
});

afterAll(async () => {
  await place.close();
});

const make = async (changes: Partial<CreatePoolKeyRequest> = {}, pool = 'canton'): Promise<PoolKey> =>
  (await client.pools.create(pool, { type: 'p256', usage: 'sign', description: '', tags: [], ...changes }))
    .key;
const refusal = async (act: Promise<unknown>) => {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof NodeRefusal) return `${String(error.details['status'])} ${error.code}`;
  throw new TypeError('not refused by the node', { cause: error });
};

describe('a node makes keys for its clients', () => {
  it('that sign by the route of all keys, and whose receipts verify', async () => {
    const body: CreatePoolKeyRequest = {
      type: 'p256',
      usage: 'sign',
      description: 'participant-ns',
      tags: [],
      token: '0a'.repeat(16),
    };
    const created = await client.pools.create('canton', body);
    const identity = await client.attest();
    const manifest = place.scenario.testNode.manifestBytes;
    const request = {
      operation: 'create-key',
      client: CLIENT,
      key: 'canton',
      algorithm: null,
      action: { action: 'create', ...body },
    } as const;
    const { entry } = verifyResponseReceipt({ receipt: created.receipt }, { identity, manifest, request });
    expect(entry.predicate).toMatchObject({
      outcome: 'permitted',
      rule: 'everything',
      request: { key: 'canton', poolKey: { id: created.key.id, type: 'p256', usage: 'sign' } },
    });
    const asked = {
      key: created.key.id,
      algorithm: 'ecdsa-p256-sha256',
      payload: { kind: 'message', message: MULTIHASH },
    } as const;
    const signed = await client.sign(asked);
    await client.verifyReceipt(asked, signed);
    const key = createPublicKey({
      key: Buffer.from(created.key.publicKey ?? '', 'hex'),
      format: 'der',
      type: 'spki',
    });
    const verifier = createVerify('sha256').update(Buffer.from(MULTIHASH, 'hex'));
    expect(verifier.verify({ key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signed.signature, 'hex'))).toBe(
      true,
    );
  });

  it('that the command lists, and whose receipts it verifies and shows', async () => {
    const body: CreatePoolKeyRequest = {
      type: 'p256',
      usage: 'sign',
      description: 'participant-cli',
      tags: [],
      token: '0d'.repeat(16),
    };
    const { key, receipt } = await client.pools.create('canton', body);
    if (receipt === undefined) throw new TypeError('expected a receipt');
    const { testNode, testbed, pcrs } = place.scenario;
    const file = (name: string) => join(testNode.directory, name);
    const request = {
      operation: 'create-key',
      client: CLIENT,
      key: 'canton',
      algorithm: null,
      action: { action: 'create', ...body },
    };
    await writeFile(file('receipt.json'), JSON.stringify(documentReceipt(receipt, await client.attest())));
    await writeFile(file('request.json'), JSON.stringify(request));
    await writeFile(
      file('other.json'),
      JSON.stringify({ ...request, action: { ...request.action, token: '0e'.repeat(16) } }),
    );
    await writeFile(file('root.der'), testbed.host.rootCertificate);
    await writeFile(file('pcr.json'), formatPcrFile(pcrs));
    const trust = [
      '--pcrs',
      file('pcr.json'),
      '--manifest',
      testNode.manifestPath,
      '--root',
      file('root.der'),
    ];
    const verify = async (about: string) =>
      await runHoldfast(['receipt', 'verify', file('receipt.json'), ...trust, '--request', file(about)]);
    const verified = await verify('request.json');
    expect(verified.out).toContain(key.id);
    expect(verified.exit).toBe(0);
    expect((await verify('other.json')).exit).toBe(1);
    const caller = ['--url', place.url, ...trust, '--client', CLIENT, '--key', testNode.client.path];
    const listed = await runHoldfast(['node', 'pools', ...caller]);
    expect(listed.out).toMatch(new RegExp(`${key.id}  p256 to sign, enabled\\n    participant-cli`));
    const { pools } = JSON.parse((await runHoldfast(['node', 'pools', ...caller, '--json'])).out) as {
      pools: { id: string; keys: PoolKey[] }[];
    };
    expect(pools.find(({ id }) => id === 'canton')?.keys.map(({ id }) => id)).toContain(key.id);
  });

  it('of RSA, whose signatures are as long as the modulus', async () => {
    const { id, publicKey } = await make({ type: 'rsa-2048' });
    const payload = { kind: 'message', message: MULTIHASH } as const;
    const { signature } = await client.sign({ key: id, algorithm: 'rsa-pss-sha256', payload });
    const key = createPublicKey({ key: Buffer.from(publicKey ?? '', 'hex'), format: 'der', type: 'spki' });
    const verifier = createVerify('sha256').update(Buffer.from(MULTIHASH, 'hex'));
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    expect(verifier.verify({ key, padding, saltLength: 32 }, Buffer.from(signature, 'hex'))).toBe(true);
  });

  it('of RSA that decrypt what others have encrypted', async () => {
    const { id, publicKey } = await make({ type: 'rsa-2048', usage: 'encrypt' });
    const key = createPublicKey({ key: Buffer.from(publicKey ?? '', 'hex'), format: 'der', type: 'spki' });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const ciphertext = publicEncrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from('hello')).toString(
      'hex',
    );
    const { plaintext } = await client.pools.decrypt(id, { algorithm: 'rsa-oaep-sha256', ciphertext });
    expect(plaintext).toBe(hex('hello'));
  });

  it('that encrypt, draw data keys, make HMACs and agree on secrets', async () => {
    const aes = await make({ type: 'aes-256', usage: 'encrypt' });
    const second = await make({ type: 'aes-256', usage: 'encrypt' });
    const algorithm = 'aes-256-gcm' as const;
    const context = { tenant: 'one' };
    const sealed = await client.pools.encrypt(aes.id, { algorithm, plaintext: hex('hello'), context });
    const { ciphertext } = sealed;
    expect(sealed.rule).toBe('everything');
    expect((await client.pools.decrypt(aes.id, { algorithm, ciphertext, context })).plaintext).toBe(
      hex('hello'),
    );
    expect(await refusal(client.pools.decrypt(aes.id, { algorithm, ciphertext }))).toMatch(
      /DECRYPTION_FAILED$/,
    );
    const moved = await client.pools.reEncrypt(aes.id, {
      from: { algorithm, ciphertext, context },
      to: { key: second.id, algorithm },
    });
    expect(moved.decryption?.rule).toBe('everything');
    const opened = await client.pools.decrypt(second.id, { algorithm, ciphertext: moved.ciphertext });
    expect(opened.plaintext).toBe(hex('hello'));
    const data = await client.pools.dataKey(aes.id, { bytes: 32, plaintext: true });
    expect((await client.pools.decrypt(aes.id, { algorithm, ciphertext: data.ciphertext })).plaintext).toBe(
      data.plaintext,
    );
    expect((await client.pools.dataKey(aes.id, { bytes: 32, plaintext: false })).plaintext).toBeUndefined();
    const hmac = await make({ type: 'hmac-256', usage: 'mac' });
    const body = { algorithm: 'hmac-sha256', message: hex('hello') } as const;
    const { mac } = await client.pools.mac(hmac.id, body);
    expect(await client.pools.verifyMac(hmac.id, { ...body, mac })).toMatchObject({ valid: true });
    const agreeing = await make({ usage: 'agree' });
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const peer = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('hex');
    const { secret } = await client.pools.deriveSecret(agreeing.id, { publicKey: peer });
    const theirs = createPublicKey({
      key: Buffer.from(agreeing.publicKey ?? '', 'hex'),
      format: 'der',
      type: 'spki',
    });
    expect(secret).toBe(diffieHellman({ privateKey: pair.privateKey, publicKey: theirs }).toString('hex'));
    expect(await client.pools.random(33)).toMatch(/^[0-9a-f]{66}$/);
  });

  it('that sign once people have approved, and never before', async () => {
    const { id } = await make({}, 'treasury-pool');
    const payload = { kind: 'message', message: MULTIHASH } as const;
    const request = await waitingId(client.sign({ key: id, algorithm: 'ecdsa-p256-sha256', payload }));
    expect(await place.vote(request, place.alice)).toMatch(/1$/);
    const { signature } = await client.resume(request);
    expect(signature).toMatch(/^[0-9a-f]{128}$/);
  });

  it('and refuses in words of HTTP what cannot be', async () => {
    const { id } = await make();
    const payload = { kind: 'message', message: MULTIHASH } as const;
    const desk = await place.connect('desk');
    expect(await refusal(desk.sign({ key: id, algorithm: 'ecdsa-p256-sha256', payload }))).toMatch(
      /UNKNOWN_KEY$/,
    );
    expect(await refusal(desk.pools.describe(id))).toBe('404 POOL_KEY_UNKNOWN');
    expect(await desk.pools.list()).toEqual({ pools: [], keys: [] });
    const body: CreatePoolKeyRequest = {
      type: 'p256',
      usage: 'sign',
      description: '',
      tags: [],
      token: '0b'.repeat(16),
    };
    await client.pools.create('canton', body);
    const other = client.pools.create('canton', { ...body, description: 'participant-x' });
    expect(await refusal(other)).toBe('409 TOKEN_REUSED');
    await client.pools.change(id, { change: 'disable' });
    expect(await refusal(client.sign({ key: id, algorithm: 'ecdsa-p256-sha256', payload }))).toBe(
      '409 KEY_DISABLED',
    );
    expect(await refusal(client.pools.change(id, { change: 'schedule-deletion', days: 6 }))).toBe(
      '400 REQUEST_MALFORMED',
    );
    const { key } = await client.pools.change(id, { change: 'schedule-deletion', days: 7 });
    expect(key).toMatchObject({ state: 'pending-deletion', named: true });
  });
});

describe('a key of a client', () => {
  it('is there after the enclave was killed, and after the commit whose confirmation was lost', async () => {
    const kept = await make({ description: 'participant-kept' });
    client = await place.restart();
    const payload = { kind: 'message', message: MULTIHASH } as const;
    await client.sign({ key: kept.id, algorithm: 'ecdsa-p256-sha256', payload });
    const before = (await client.pools.list()).pools[0]?.keys.length ?? 0;

    let isLost = false;
    client = await place.restart({
      onControl: async (exchange) => {
        const answer = await exchange.honest();
        if (!isLost || exchange.request.type !== 'store-commit') return answer;
        // The commit is carried out, and the enclave learns nothing of it.
        await place.node?.enclave.terminate();
        return 'hang-up';
      },
    });
    isLost = true;
    const body: CreatePoolKeyRequest = {
      type: 'p256',
      usage: 'sign',
      description: '',
      tags: [],
      token: '0c'.repeat(16),
    };
    await expect(client.pools.create('canton', body)).rejects.toThrow(ClientError);
    client = await place.restart();
    const { pools } = await client.pools.list();
    expect(pools[0]?.keys).toHaveLength(before + 1);
    const { key } = await client.pools.create('canton', body);
    expect((await client.pools.list()).pools[0]?.keys).toHaveLength(before + 1);
    expect(pools[0]?.keys.map((one) => one.id)).toContain(key.id);
    await client.sign({ key: key.id, algorithm: 'ecdsa-p256-sha256', payload });
  });

  it('is missed by a node whose parent has lost its record', async () => {
    const { id } = await make();
    await place.stop();
    const code = await place.scenario.attempt({
      onControl: async ({ request, honest }) => {
        const answer = await honest();
        if (request.type !== 'store-list') return answer;
        const { records } = answer as unknown as { records: { id: string }[] };
        return Object.assign(answer, { records: records.filter((record) => record.id !== id) });
      },
    });
    expect(code).toBe('STORE_RECORD_MISSING');
    client = await place.restart();
    expect(await client.pools.describe(id)).toMatchObject({ id });
  });
});
