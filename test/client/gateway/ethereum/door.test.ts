import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Transaction as EthersTransaction, verifyMessage, keccak256 } from 'ethers';
import { recoverAddress, serializeTransaction } from 'viem';
import { ClientError, NodeRefusal } from '../../../../client/index.ts';
import { createGatewayLog } from '../../../../client/gateway/index.ts';
import { ADDRESS, signDigest, startEthereumDoor, STRANGER } from './enclave.ts';

const OTHER_SECRET = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';
const TRANSFER = {
  from: ADDRESS,
  chainId: '0x1',
  nonce: '0x7',
  gas: '0x5208',
  to: STRANGER,
  value: '0x1',
  maxFeePerGas: '0x77359400',
  maxPriorityFeePerGas: '0x1',
};
const LEGACY = { from: ADDRESS, chainId: '0x1', nonce: '0x0', gas: '0x5208', to: STRANGER, gasPrice: '0x1' };

let door: Awaited<ReturnType<typeof startEthereumDoor>>;
beforeAll(async () => {
  door = await startEthereumDoor();
});
beforeEach(() => {
  door.enclave.interfere = () => undefined;
  door.enclave.refusal = undefined;
  door.enclave.requests.length = 0;
});
afterAll(() => door.server.close());

describe('what a door for Ethereum signs', () => {
  it.each([
    ['of type 0', LEGACY, 0],
    [
      'of type 1',
      { ...LEGACY, type: '0x1', accessList: [{ address: STRANGER, storageKeys: [`0x${'01'.repeat(32)}`] }] },
      1,
    ],
    ['of type 2', TRANSFER, 2],
    [
      'of type 3',
      { ...TRANSFER, maxFeePerBlobGas: '0x1', blobVersionedHashes: [`0x01${'ab'.repeat(31)}`] },
      3,
    ],
    ['with input for data', { ...TRANSFER, input: '0xd0e30db0' }, 2],
    ['with data and input alike', { ...TRANSFER, data: '0xd0e30db0', input: '0xd0e30db0' }, 2],
    ['that creates a contract', { ...TRANSFER, to: null, data: '0x6001600055' }, 2],
  ])('signs a transaction %s, which another library takes for the account’s', async (_, request, type) => {
    const { result } = await door.call('eth_signTransaction', request);
    const signed = EthersTransaction.from(result as string);
    expect(signed).toMatchObject({ type, from: ADDRESS, chainId: 1n, nonce: Number(request.nonce) });
    const [asked] = door.enclave.requests;
    expect(asked?.payload).toEqual({
      kind: 'ethereum-transaction',
      transaction: signed.unsignedSerialized.slice(2),
    });
    expect(signed.data).toBe(
      (request as { data?: string }).data ?? (request as { input?: string }).input ?? '0x',
    );
  });

  it.each(['personal_sign', 'eth_sign'])('signs messages by %s as EIP-191 has it', async (method) => {
    const message = '0x686920f09f918b';
    const params = method === 'eth_sign' ? [ADDRESS, message] : [message, ADDRESS];
    const { result } = await door.call(method, ...params);
    expect(verifyMessage('hi 👋', result as string)).toBe(ADDRESS);
    expect(door.enclave.requests[0]?.payload).toEqual({
      kind: 'ethereum-message',
      message: message.slice(2),
    });
  });

  it('says its accounts and its chain', async () => {
    expect(await door.call('eth_accounts')).toMatchObject({ result: [ADDRESS] });
    expect(await door.call('eth_chainId')).toMatchObject({ result: '0x1' });
  });

  it('serves the keys that it names alone', async () => {
    const other = await startEthereumDoor({ keys: ['cold'] });
    expect(await other.call('eth_accounts')).toMatchObject({ result: [] });
    expect(await other.call('eth_sign', ADDRESS, '0x00')).toMatchObject({
      error: { code: 4100, data: { code: 'RPC_ACCOUNT_UNKNOWN' } },
    });
    expect(await other.call('eth_chainId')).toMatchObject({
      error: { data: { code: 'RPC_METHOD_UNSUPPORTED' } },
    });
    await other.server.close();
  });
});

describe('what a door for Ethereum refuses', () => {
  it.each(['eth_sendTransaction', 'eth_sendRawTransaction', 'eth_call', 'eth_signTypedData', 'account_new'])(
    '%s',
    async (method) => {
      expect(await door.call(method, TRANSFER)).toMatchObject({
        error: { code: -32004, data: { code: 'RPC_METHOD_UNSUPPORTED' } },
      });
      expect(door.enclave.requests).toEqual([]);
    },
  );

  it.each<[string, Record<string, unknown>, string]>([
    ['no chain', { chainId: undefined }, 'chainId'],
    ['the chain 0', { chainId: '0x0' }, 'chainId'],
    ['no nonce', { nonce: undefined }, 'nonce'],
    ['no gas', { gas: undefined }, 'gas'],
    ['no price', { maxFeePerGas: undefined, type: '0x2' }, 'maxFeePerGas'],
    ['two kinds of price', { gasPrice: '0x1' }, 'gasPrice'],
    ['a tip above the price', { maxPriorityFeePerGas: '0x77359401' }, 'maxPriorityFeePerGas'],
    ['no recipient and no code', { to: undefined }, 'to'],
    ['a number for a quantity', { nonce: 7 }, 'nonce'],
    ['a quantity with zeros in front', { nonce: '0x07' }, 'nonce'],
    ['a decimal', { value: '1' }, 'value'],
    ['half a byte of data', { data: '0xabc' }, 'data'],
    ['data that are two', { data: '0x01', input: '0x02' }, 'input'],
    ['an address with a wrong checksum', { to: STRANGER.replace('C8', 'c8') }, 'to'],
    ['a nonce of 65 bits', { nonce: `0x1${'0'.repeat(16)}` }, 'nonce'],
    ['a type that nobody knows', { type: '0x5' }, 'type'],
    ['a field of another type', { type: '0x0' }, 'maxFeePerGas'],
    ['a field that nobody knows', { gasLimit: '0x5208' }, 'gasLimit'],
    ['blobs themselves', { blobs: ['0x00'] }, 'blobs'],
    [
      'a storage key of 31 bytes',
      { accessList: [{ address: STRANGER, storageKeys: [`0x${'01'.repeat(31)}`] }] },
      'accessList.0.storageKeys.0',
    ],
  ])('a transaction with %s', async (_, change, field) => {
    expect(await door.call('eth_signTransaction', { ...TRANSFER, ...change })).toMatchObject({
      error: { code: -32602, data: { code: 'ETHEREUM_FIELD_MALFORMED', field } },
    });
    expect(door.enclave.requests).toEqual([]);
  });

  it.each([
    ['text for data', 'personal_sign', ['hello', ADDRESS]],
    ['the parameters of the other method', 'eth_sign', ['0x00', ADDRESS]],
    ['too many parameters', 'eth_sign', [ADDRESS, '0x00', '0x00']],
    ['too few', 'eth_sign', [ADDRESS]],
    ['a document that is a number', 'eth_signTypedData_v4', [ADDRESS, 7]],
    ['a document that is none', 'eth_signTypedData_v4', [ADDRESS, '{}']],
    ['an account of nobody', 'eth_sign', [STRANGER, '0x00']],
  ])('%s', async (_, method, params) => {
    expect((await door.call(method, ...params)).error?.code).not.toBeUndefined();
    expect(door.enclave.transactions.filter(({ kind }) => kind === 'ethereum-typed-data')).toEqual([]);
  });

  it('a signature of another key, over something else, without parity, or of the other parity', async () => {
    const forged = [
      () => signDigest(Buffer.from(keccak256('0x00').slice(2), 'hex'), OTHER_SECRET),
      () => signDigest(Buffer.from(keccak256('0x00').slice(2), 'hex')),
      () => ({ signature: signDigest(Buffer.alloc(32, 1)).signature }),
      () => ({ signature: '00'.repeat(64), recovery: 0 }),
      () => ({ signature: '00', recovery: 0 }),
    ];
    for (const interfere of forged) {
      door.enclave.interfere = interfere;
      expect(await door.call('eth_signTransaction', TRANSFER)).toMatchObject({
        error: { code: -32603, data: { code: 'ANSWER_MALFORMED' } },
      });
    }
  });

  it.each([
    [new NodeRefusal('POLICY_DENIED', 'no', { status: 403 }), -32003, 'POLICY_DENIED'],
    [new NodeRefusal('RATE_LIMITED', 'no', { status: 429 }), -32005, 'RATE_LIMITED'],
    [new NodeRefusal('STOPPING', 'no', { status: 503 }), -32603, 'STOPPING'],
    [new NodeRefusal('TRANSACTION_MALFORMED', 'no', { status: 400 }), -32602, 'TRANSACTION_MALFORMED'],
    [new ClientError('ANSWER_LOST', 'no'), -32603, 'ANSWER_LOST'],
    [new ClientError('NODE_UNREACHABLE', 'no'), -32603, 'NODE_UNREACHABLE'],
    [new ClientError('APPROVALS_NEEDED', 'no', { id: 'ab', rule: 'r' }), -32003, 'APPROVALS_NEEDED'],
  ])('what the node refuses: %s', async (refusal, number, code) => {
    door.enclave.refusal = refusal;
    expect(await door.call('eth_signTransaction', TRANSFER)).toMatchObject({
      error: { code: number, data: { code } },
    });
  });

  it.each<[string, unknown, number]>([
    ['no JSON', '{', -32700],
    ['a member twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_accounts","params":[]}', -32700],
    ['a version that is another', { jsonrpc: '1.0', id: 1, method: 'eth_accounts', params: [] }, -32600],
    ['a notification', { jsonrpc: '2.0', method: 'eth_sign', params: [ADDRESS, '0x00'] }, -32600],
    ['parameters by name', { jsonrpc: '2.0', id: 1, method: 'eth_sign', params: {} }, -32600],
    ['an empty batch', [], -32600],
    [
      'a batch that is too long',
      Array.from({ length: 33 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_accounts', params: [] })),
      -32600,
    ],
  ])('%s', async (_, body, number) => {
    expect(JSON.parse((await door.post('/', body)).text)).toMatchObject({ error: { code: number } });
    expect(door.enclave.requests).toEqual([]);
  });

  it('whatever a web page could send', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'eth_sign', params: [ADDRESS, '0x00'] };
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'content-type': 'text/plain' },
      { origin: 'null' },
    ])
      expect(await door.post('/', body, headers as unknown as Record<string, string>)).toMatchObject({
        status: 403,
      });
    expect(door.enclave.requests).toEqual([]);
  });
});

it('carries out a request that has waited when the same one comes again', async () => {
  door.enclave.refusal = new ClientError('APPROVALS_NEEDED', 'no', { id: 'ab', rule: 'r' });
  expect(await door.call('eth_sign', ADDRESS, '0x7761')).toMatchObject({
    error: { data: { code: 'APPROVALS_NEEDED', request: 'ab', rule: 'r' } },
  });
  const { result } = await door.call('eth_sign', ADDRESS, '0x7761');
  expect(verifyMessage('wa', result as string)).toBe(ADDRESS);
  expect(door.enclave.resumed).toContain('ab');
});

it('answers a batch in its order, each request for itself', async () => {
  const batch = [
    { jsonrpc: '2.0', id: 'a', method: 'eth_signTransaction', params: [TRANSFER] },
    { jsonrpc: '2.0', id: 2, method: 'eth_sendTransaction', params: [TRANSFER] },
    { jsonrpc: '2.0', id: 3, method: 'eth_accounts' },
    7,
  ];
  expect(JSON.parse((await door.post('/', batch)).text)).toMatchObject([
    { id: 'a', result: expect.stringMatching(/^0x02/) as string },
    { id: 2, error: { code: -32004 } },
    { id: 3, result: [ADDRESS] },
    { id: null, error: { code: -32600 } },
  ]);
});

it('writes payloads into its log where they are asked for, and nowhere else', () => {
  expect(door.logged).toContainEqual(
    expect.objectContaining({ key: 'hot', operation: 'eth_sign', code: 'OK', client: 'backend' }),
  );
  const [plain, whole] = [false, true].map((payloads) => {
    const lines: string[] = [];
    const log = createGatewayLog((line) => lines.push(line), { format: 'json', payloads });
    for (const event of door.logged) log.request(event);
    return lines.join('');
  });
  expect(plain).not.toMatch(/70997970|686920/i);
  for (const payload of [/70997970/, /686920/, /"payload":"7b7d"/]) expect(whole).toMatch(payload);
});

describe('what Web3Signer’s clients ask', () => {
  const unsigned = serializeTransaction({
    chainId: 1,
    nonce: 7,
    gas: 21_000n,
    to: STRANGER,
    value: 1n,
    maxFeePerGas: 2n,
    maxPriorityFeePerGas: 1n,
  });

  it('is up, and says its public keys', async () => {
    expect(await (await fetch(`${door.url}/upcheck`)).text()).toBe('OK');
    const keys = (await (await fetch(`${door.url}/api/v1/eth1/publicKeys`)).json()) as string[];
    expect(keys).toHaveLength(1);
    const [key = ''] = keys;
    expect(`0x${keccak256(key).slice(26)}`).toBe(ADDRESS.toLowerCase());
  });

  it('signs keccak-256 of data that the enclave reads, by address and by public key', async () => {
    const keys = (await (await fetch(`${door.url}/api/v1/eth1/publicKeys`)).json()) as string[];
    const message = `0x${Buffer.from('\u0019Ethereum Signed Message:\n212').toString('hex')}`;
    const authorization = `0x05d70194${STRANGER.slice(2).toLowerCase()}03`;
    for (const identifier of [ADDRESS, ADDRESS.slice(2), keys[0] ?? '']) {
      for (const data of [unsigned, message, authorization]) {
        const { status, text } = await door.post(`/api/v1/eth1/sign/${identifier}`, { data });
        expect(status).toBe(200);
        expect(
          await recoverAddress({ hash: keccak256(data) as `0x${string}`, signature: text as `0x${string}` }),
        ).toBe(ADDRESS);
      }
    }
    expect(door.enclave.requests.map(({ payload }) => payload)).toContainEqual({
      kind: 'ethereum-message',
      message: '3132',
    });
  });

  it.each([
    ['a digest', `0x${'ab'.repeat(32)}`, 400],
    ['the hashes of a document', `0x1901${'ab'.repeat(64)}`, 400],
    [
      'a message whose length is another',
      `0x${Buffer.from('\u0019Ethereum Signed Message:\n3ab').toString('hex')}`,
      400,
    ],
    ['a transaction that is none', '0x02c0', 400],
    ['nothing', '0x', 400],
    ['no hex', 'ab', 400],
  ])('refuses %s', async (_, data, status) => {
    expect((await door.post(`/api/v1/eth1/sign/${ADDRESS}`, { data })).status).toBe(status);
  });

  it('refuses strangers, fields that it does not know, and to reload', async () => {
    expect((await door.post(`/api/v1/eth1/sign/${STRANGER}`, { data: unsigned })).status).toBe(404);
    expect((await door.post(`/api/v1/eth1/sign/${ADDRESS}`, { data: unsigned, hash: false })).status).toBe(
      400,
    );
    expect((await door.post('/reload', {})).status).toBe(405);
    expect(door.enclave.requests).toEqual([]);
  });
});
