import { Transaction as EthersTransaction, verifyAuthorization, verifyTypedData } from 'ethers';
import {
  createWalletClient,
  custom,
  recoverMessageAddress,
  recoverTransactionAddress,
  recoverTypedDataAddress,
  type TransactionSerialized,
} from 'viem';
import { mainnet } from 'viem/chains';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEthereumAccount } from '../../client/index.ts';
import { ADDRESS, signDigest, STRANGER, TestEnclave } from './gateway/ethereum/enclave.ts';

const TRANSACTION = {
  to: STRANGER,
  value: 5n,
  nonce: 3,
  gas: 21_000n,
  maxFeePerGas: 9n,
  maxPriorityFeePerGas: 1n,
  chainId: 1,
  type: 'eip1559',
} as const;
const DOCUMENT = {
  domain: { name: 'Vote', chainId: 1n, verifyingContract: STRANGER },
  types: { Ballot: [{ name: 'weight', type: 'uint256' }] },
  primaryType: 'Ballot',
  message: { weight: 2n ** 200n },
} as const;

let enclave: TestEnclave;
beforeEach(() => {
  enclave = new TestEnclave();
});

describe('an account of viem over a node', () => {
  const open = async () => {
    const account = await createEthereumAccount(enclave, 'hot');
    return {
      account,
      client: createWalletClient({ account, chain: mainnet, transport: custom({ request: answer }) }),
    };
  };
  let sent: string | undefined;
  /** A network that takes one transaction. */
  const answer = ({ method, params }: { method: string; params?: unknown }) => {
    if (method === 'eth_chainId') return Promise.resolve('0x1');
    if (method !== 'eth_sendRawTransaction') return Promise.reject(new Error(method));
    [sent] = params as [string];
    return Promise.resolve(`0x${'ab'.repeat(32)}`);
  };

  it('signs what viem sends', async () => {
    const { client } = await open();
    await client.sendTransaction(TRANSACTION);
    const signed = EthersTransaction.from(sent ?? '');
    expect(signed).toMatchObject({ from: ADDRESS, to: STRANGER, nonce: 3, value: 5n, type: 2 });
    expect(enclave.requests[0]?.payload).toMatchObject({ kind: 'ethereum-transaction' });
  });

  it.each([
    {
      ...TRANSACTION,
      type: 'legacy',
      gasPrice: 7n,
      maxFeePerGas: undefined,
      maxPriorityFeePerGas: undefined,
    },
    { ...TRANSACTION, accessList: [{ address: STRANGER, storageKeys: [`0x${'01'.repeat(32)}`] }] },
  ] as const)('signs a transaction of type $type', async (transaction) => {
    const { account } = await open();
    const serialized = (await account.signTransaction(transaction)) as TransactionSerialized;
    expect(await recoverTransactionAddress({ serializedTransaction: serialized })).toBe(ADDRESS);
  });

  it('signs messages and documents', async () => {
    const { client } = await open();
    for (const message of ['hi 👋', { raw: '0x00ff' }, { raw: Uint8Array.of(1, 2) }] as const)
      expect(await recoverMessageAddress({ message, signature: await client.signMessage({ message }) })).toBe(
        ADDRESS,
      );
    const signature = await client.signTypedData(DOCUMENT);
    expect(await recoverTypedDataAddress({ ...DOCUMENT, signature })).toBe(ADDRESS);
    expect(verifyTypedData(DOCUMENT.domain, DOCUMENT.types as never, DOCUMENT.message, signature)).toBe(
      ADDRESS,
    );
  });

  it('hands the account to code, and sends with that', async () => {
    const { account, client } = await open();
    const request = { contractAddress: STRANGER, chainId: 1, nonce: 4 } as const;
    const authorization = await client.signAuthorization(request);
    const { address, chainId, nonce, yParity, r, s } = authorization;
    expect(verifyAuthorization({ address, chainId, nonce }, { r, s, yParity: yParity as 0 | 1 })).toBe(
      ADDRESS,
    );
    const { type, ...rest } = TRANSACTION;
    expect(type).toBe('eip1559');
    const signed = await account.signTransaction({
      ...rest,
      type: 'eip7702',
      authorizationList: [authorization],
    });
    expect(EthersTransaction.from(signed)).toMatchObject({ from: ADDRESS, type: 4 });
  });

  it.each([
    ['a nonce that is missing', { nonce: undefined }],
    ['a field that nobody knows', { gasLimit: 3n }],
    ['a number that is none', { nonce: 1.5 }],
    ['a negative amount', { value: -1n }],
    ['a type of another chain', { type: 'eip712' }],
    ['blobs', { sidecars: [] }],
  ])('refuses %s before a node is asked', async (_, change) => {
    const { account } = await open();
    await expect(account.signTransaction({ ...TRANSACTION, ...change })).rejects.toMatchObject({
      code: 'ETHEREUM_FIELD_MALFORMED',
    });
    expect(enclave.requests).toEqual([]);
  });

  it('refuses the transaction of another account, and a key that the node does not have', async () => {
    const { account } = await open();
    await expect(account.signTransaction({ ...TRANSACTION, from: STRANGER })).rejects.toThrow(RangeError);
    await expect(createEthereumAccount(enclave, 'other')).rejects.toThrow(RangeError);
  });

  it('gives no signature of another payload', async () => {
    const { account } = await open();
    enclave.interfere = () => signDigest(Buffer.alloc(32, 1));
    for (const signing of [
      account.signMessage({ message: 'a' }),
      account.signTransaction(TRANSACTION),
      account.signTypedData(DOCUMENT),
    ])
      await expect(signing).rejects.toMatchObject({ code: 'ANSWER_MALFORMED' });
  });
});
