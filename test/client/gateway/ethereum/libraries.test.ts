import { Transaction as EthersTransaction, JsonRpcProvider, verifyMessage, verifyTypedData } from 'ethers';
import {
  createWalletClient,
  http,
  parseTransaction,
  recoverMessageAddress,
  recoverTransactionAddress,
  recoverTypedDataAddress,
  type TransactionSerialized,
} from 'viem';
import { mainnet } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESS, startEthereumDoor, STRANGER } from './enclave.ts';

/** A document of EIP-712 as its standard has it. */
const DOCUMENT = {
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  message: { from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' }, contents: 'Hello' },
} as const;

let door: Awaited<ReturnType<typeof startEthereumDoor>>;
beforeAll(async () => {
  door = await startEthereumDoor();
});
afterAll(() => door.server.close());

describe('viem over a door', () => {
  const wallet = () =>
    createWalletClient({ account: ADDRESS, chain: mainnet, transport: http(door.url, { retryCount: 0 }) });

  it('signs transactions, messages and documents', async () => {
    const client = wallet();
    expect(await client.getAddresses()).toEqual([ADDRESS]);
    const signed = (await client.signTransaction({
      to: STRANGER,
      value: 5n,
      nonce: 3,
      gas: 21_000n,
      maxFeePerGas: 9n,
      maxPriorityFeePerGas: 1n,
      type: 'eip1559',
    })) as TransactionSerialized;
    expect(await recoverTransactionAddress({ serializedTransaction: signed })).toBe(ADDRESS);
    expect(EthersTransaction.from(signed)).toMatchObject({
      from: ADDRESS,
      nonce: 3,
      value: 5n,
      to: STRANGER,
    });
    const message = 'hi 👋';
    expect(await recoverMessageAddress({ message, signature: await client.signMessage({ message }) })).toBe(
      ADDRESS,
    );
    const signature = await client.signTypedData(DOCUMENT);
    expect(await recoverTypedDataAddress({ ...DOCUMENT, signature })).toBe(ADDRESS);
    const { domain, types, message: value } = DOCUMENT;
    expect(verifyTypedData(domain, types as never, value, signature)).toBe(ADDRESS);
  });

  it('gets the code of a refusal', async () => {
    await expect(
      wallet().sendTransaction({ to: STRANGER, value: 5n, nonce: 3, gas: 21_000n, gasPrice: 1n }),
    ).rejects.toThrow(/RPC_METHOD_UNSUPPORTED/);
  });
});

describe('ethers over a door', () => {
  it('signs transactions, messages and documents', async () => {
    const provider = new JsonRpcProvider(door.url);
    const signer = await provider.getSigner();
    expect(signer.address).toBe(ADDRESS);
    const transaction = { to: STRANGER, value: 5n, nonce: 3, gasLimit: 21_000n, chainId: 1n, from: ADDRESS };
    const legacy = await signer.signTransaction({ ...transaction, gasPrice: 7n, type: 0 });
    expect(await recoverTransactionAddress({ serializedTransaction: legacy as TransactionSerialized })).toBe(
      ADDRESS,
    );
    const modern = await signer.signTransaction({
      ...transaction,
      type: 2,
      maxFeePerGas: 9n,
      maxPriorityFeePerGas: 1n,
      data: '0xd0e30db0',
    });
    expect(parseTransaction(modern as TransactionSerialized)).toMatchObject({ data: '0xd0e30db0', nonce: 3 });
    expect(verifyMessage('hello', await signer.signMessage('hello'))).toBe(ADDRESS);
    const { domain, types, message } = DOCUMENT;
    const signature = (await signer.signTypedData(domain, types as never, message)) as `0x${string}`;
    expect(await recoverTypedDataAddress({ ...DOCUMENT, signature })).toBe(ADDRESS);
    provider.destroy();
  });
});
