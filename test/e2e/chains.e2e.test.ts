import * as ecc from '@bitcoinerlab/secp256k1';
import { ed25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as scure from '@scure/btc-signer';
import { address, getAddressDecoder } from '@solana/addresses';
import {
  appendTransactionMessageInstruction,
  compileTransactionMessage,
  createTransactionMessage,
  getCompiledTransactionMessageEncoder,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/transaction-messages';
import { LocalForger } from '@taquito/local-forging';
import { initEccLib, Psbt, Transaction as BitcoinJsTransaction } from 'bitcoinjs-lib';
import { computeAddress, encodeBase58, Transaction as EthersTransaction } from 'ethers';
import { parseEther, parseGwei, recoverTransactionAddress, serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPsbtSignatures, type NodeClient } from '../../client/index.ts';
import { BITCOIN, DecisionNode, ETHEREUM, permitTransfers, SOLANA, TEZOS } from './support/decision-node.ts';

initEccLib(ecc);

let place: DecisionNode;
let client: NodeClient;

beforeAll(async () => {
  place = await DecisionNode.open(
    [
      { id: 'ethereum', type: 'secp256k1', networks: [ETHEREUM] },
      { id: 'bitcoin', type: 'secp256k1', networks: [BITCOIN] },
      { id: 'solana', type: 'ed25519', networks: [SOLANA] },
      { id: 'tezos', type: 'ed25519', networks: [TEZOS] },
    ],
    [
      permitTransfers('ethereum', 'ethereum', 'ethereum-transaction'),
      permitTransfers('bitcoin', 'bitcoin', 'bitcoin-transaction', {
        algorithms: ['ecdsa-secp256k1', 'bip340'],
      }),
      permitTransfers('solana', 'solana', 'solana-transaction', { algorithms: ['ed25519'] }),
      permitTransfers('tezos', 'tezos', 'tezos-operation', { algorithms: ['ed25519'] }),
    ],
  );
  await place.start();
  client = await place.connect();
});

afterAll(() => place.close());

async function publicKeyOf(id: string): Promise<Uint8Array> {
  const key = (await client.keys()).find((held) => held.id === id);
  return hexToBytes(key?.publicKey ?? '');
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a transaction of an independent library, signed by a node', () => {
  it('is of the account of the key: viem and ethers recover it from an EIP-1559 transfer', async () => {
    const transaction = {
      type: 'eip1559',
      chainId: 1,
      nonce: 7,
      to: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045',
      value: parseEther('0.25'),
      gas: 21_000n,
      maxFeePerGas: parseGwei('30'),
      maxPriorityFeePerGas: parseGwei('1'),
    } as const;
    const response = await client.sign({
      key: 'ethereum',
      algorithm: 'ecdsa-secp256k1',
      payload: { kind: 'ethereum-transaction', transaction: serializeTransaction(transaction).slice(2) },
    });
    const serializedTransaction = serializeTransaction(transaction, {
      r: `0x${response.signature.slice(0, 64)}`,
      s: `0x${response.signature.slice(64)}`,
      yParity: response.recovery ?? -1,
    });
    const sender = computeAddress(`0x${hex(await publicKeyOf('ethereum'))}`);
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(sender);
    expect(EthersTransaction.from(serializedTransaction).from).toBe(sender);
  });

  it.each(['ecdsa-secp256k1', 'bip340'] as const)(
    'is a PSBT of @scure/btc-signer that it finalises, and whose signatures bitcoinjs-lib verifies: %s',
    async (algorithm) => {
      const publicKey = await publicKeyOf('bitcoin');
      const isTaproot = algorithm === 'bip340';
      const from = isTaproot ? scure.p2tr(publicKey.subarray(1)) : scure.p2wpkh(publicKey);
      const transaction = new scure.Transaction();
      for (const seed of [1, 2]) {
        const previous = new BitcoinJsTransaction();
        previous.version = 2;
        previous.addInput(new Uint8Array(32).fill(seed), seed);
        previous.addOutput(from.script, 60_000n);
        transaction.addInput({
          txid: previous.getHash().toReversed(),
          index: 0,
          witnessUtxo: { script: from.script, amount: 60_000n },
          ...(isTaproot
            ? { tapInternalKey: publicKey.subarray(1) }
            : { nonWitnessUtxo: previous.toBuffer() }),
        });
      }
      transaction.addOutputAddress('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 100_000n);
      transaction.addOutput({ script: from.script, amount: 19_000n });
      const psbt = Buffer.from(transaction.toPSBT()).toString('base64');
      const response = await client.sign({
        key: 'bitcoin',
        algorithm,
        payload: { kind: 'bitcoin-transaction', psbt },
      });
      expect(response.inputs?.map(({ index }) => index)).toEqual([0, 1]);
      const signed = addPsbtSignatures(psbt, response);
      const verify = (key: Uint8Array, digest: Uint8Array, signature: Uint8Array) =>
        isTaproot ? ecc.verifySchnorr(digest, key, signature) : ecc.verify(digest, key, signature);
      expect(Psbt.fromBase64(signed).validateSignaturesOfAllInputs(verify)).toBe(true);
      const finalised = scure.Transaction.fromPSBT(Buffer.from(signed, 'base64'));
      finalised.finalize();
      expect(finalised.isFinal).toBe(true);
      expect(finalised.id).toBe(BitcoinJsTransaction.fromBuffer(finalised.extract()).getId());
    },
  );

  it('is a message of @solana/kit, signed as it is', async () => {
    const publicKey = await publicKeyOf('solana');
    const own = getAddressDecoder().decode(publicKey);
    const system = address('11111111111111111111111111111111');
    const lifetime = {
      blockhash: 'EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N',
      lastValidBlockHeight: 1n,
    } as Parameters<typeof setTransactionMessageLifetimeUsingBlockhash>[0];
    const paid = setTransactionMessageFeePayer(own, createTransactionMessage({ version: 0 }));
    const message = appendTransactionMessageInstruction(
      {
        programAddress: system,
        accounts: [
          { address: own, role: 3 },
          { address: address('9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin'), role: 1 },
        ],
        data: Uint8Array.of(2, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0, 0, 0, 0),
      },
      setTransactionMessageLifetimeUsingBlockhash(lifetime, paid),
    );
    const bytes = Uint8Array.from(
      getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(message)),
    );
    const { signature } = await client.sign({
      key: 'solana',
      algorithm: 'ed25519',
      payload: { kind: 'solana-transaction', message: hex(bytes) },
    });
    expect(ed25519.verify(hexToBytes(signature), bytes, publicKey, { zip215: false })).toBe(true);
  });

  it('is an operation that taquito forged, whose BLAKE2b under the watermark 3 is signed', async () => {
    const publicKey = await publicKeyOf('tezos');
    const forged = await new LocalForger().forge({
      branch: 'BL4J5ptf5F8jAJbcnEXy8mC6uDrXx5Dvi1eqhD1UokjhGMMYBcx',
      contents: [
        {
          kind: 'transaction',
          source: toTz1(publicKey),
          fee: '1420',
          counter: '41',
          gas_limit: '10600',
          storage_limit: '300',
          amount: '1000000',
          destination: 'tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb',
        },
      ],
    } as never);
    const { signature } = await client.sign({
      key: 'tezos',
      algorithm: 'ed25519',
      payload: { kind: 'tezos-operation', operation: `03${forged}` },
    });
    const digest = blake2b(hexToBytes(`03${forged}`), { dkLen: 32 });
    expect(ed25519.verify(hexToBytes(signature), digest, publicKey, { zip215: false })).toBe(true);
  });
});

/** The address of an Ed25519 key: BLAKE2b-160 in base58check under the prefix tz1. */
function toTz1(publicKey: Uint8Array): string {
  const payload = concatBytes(Uint8Array.of(6, 161, 159), blake2b(publicKey, { dkLen: 20 }));
  const checksum = sha256(sha256(payload)).subarray(0, 4);
  return encodeBase58(concatBytes(payload, checksum));
}
