import { utf8ToBytes } from '@noble/hashes/utils.js';
import { readAddress, readData, readQuantity } from './ethereum/fields.ts';
import { readTransaction } from './ethereum/read-transaction.ts';
import { EthereumSigner, listAccountKeys, type SigningNode } from './ethereum/signer.ts';
import { formatBytes, formatSignature, type RecoverableSignature } from './ethereum/transaction.ts';
import { writeDocument, writeQuantity, writeTransaction } from './ethereum/viem-values.ts';
import type { KeyInfo } from '../shared/api/bodies.ts';

/** Bytes in hex with 0x, as viem types them. */
export type Hex = `0x${string}`;

/** A node or a quorum that signs: NodeClient and QuorumClient are. */
export interface EthereumAccountNode extends SigningNode {
  keys(): Promise<readonly KeyInfo[]>;
}

/** Authorisation of EIP-7702 that is to be signed: viem takes the code's address under either name. */
export interface EthereumAuthorizationRequest {
  readonly address?: Hex | undefined;
  readonly contractAddress?: Hex | undefined;
  readonly chainId: number;
  readonly nonce: number;
}

/** An account in the form of viem's local accounts (`LocalAccount`): hand it to `createWalletClient`. */
export interface EthereumAccount {
  readonly address: Hex;
  /** Uncompressed SEC1. */
  readonly publicKey: Hex;
  readonly source: 'holdfast';
  readonly type: 'local';
  signMessage(parameters: { readonly message: string | { readonly raw: Hex | Uint8Array } }): Promise<Hex>;
  signTransaction(transaction: object, options?: { readonly serializer?: unknown }): Promise<Hex>;
  signTypedData(document: object): Promise<Hex>;
  signAuthorization(authorization: EthereumAuthorizationRequest): Promise<{
    readonly address: Hex;
    readonly chainId: number;
    readonly nonce: number;
    readonly r: Hex;
    readonly s: Hex;
    readonly v: bigint;
    readonly yParity: number;
  }>;
}

/**
 * Makes a local account of viem from a key of a node. viem encodes, asks the account to sign, and sends; the node gets every
 * transaction, message and document whole, and decides on what it reads. Each signature is verified before it is returned,
 * and nothing is filled in: viem prepares nonce, gas and prices.
 *
 * @param node a NodeClient or QuorumClient; it stays the caller's to close
 * @param key id of the key in the node's configuration: one of type secp256k1
 * @returns the account; its methods throw what `sign` of the node throws, EthereumRequestError ETHEREUM_FIELD_MALFORMED for
 *   a transaction with a field that is missing or unknown, and ClientError ANSWER_MALFORMED for a signature of another key
 * @throws RangeError where the node has no such key for this client
 * @throws NodeRefusal, ClientError, AttestationError as `keys` of the node does
 *
 * Source: EIP-155, EIP-191, EIP-712, EIP-2718, EIP-7702; viem, "Local Accounts".
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode, createEthereumAccount } from '@holdfast-nodes/holdfast/client';
 *
 * const node = await connectNode({
 *   url: 'https://node-1.example:8443',
 *   trust: {
 *     root: AWS_NITRO_ROOT_G1,
 *     pcrs: parsePcrFile(await readFile('pcr.json')),
 *     manifest: await readFile('manifest.json'),
 *   },
 *   clientId: 'backend',
 *   privateKey: createPrivateKey(await readFile('client.pem')),
 * });
 * const account = await createEthereumAccount(node, 'ethereum-hot');
 * // With viem: createWalletClient({ account, chain: mainnet, transport: http() }).sendTransaction({ to, value })
 * const signature = await account.signMessage({ message: 'hello' });
 * console.log(account.address.length, signature.length); // 42 132
 * node.close();
 * ```
 */
export async function createEthereumAccount(
  node: EthereumAccountNode,
  key: string,
): Promise<EthereumAccount> {
  const found = listAccountKeys(await node.keys()).find(({ id }) => id === key);
  if (found === undefined)
    throw new RangeError(`the node has no key ${key} of type secp256k1 for this client`);
  const signer = new EthereumSigner(node, found);
  return {
    address: found.address as Hex,
    publicKey: `0x04${found.uncompressed}`,
    source: 'holdfast',
    type: 'local',
    async signMessage({ message }) {
      return formatSignature(await signer.signMessage(readMessage(message))) as Hex;
    },
    async signTransaction(transaction) {
      const { from, transaction: read } = readTransaction(writeTransaction(transaction));
      if (from !== undefined && formatBytes(from) !== found.address.toLowerCase())
        throw new RangeError('the transaction is one of another account');
      return formatBytes(await signer.signTransaction(read)) as Hex;
    },
    async signTypedData(document) {
      return formatSignature(await signer.signTypedData(writeDocument(document))) as Hex;
    },
    async signAuthorization({ address, contractAddress, chainId, nonce }) {
      const code = contractAddress ?? address;
      const signature = await signer.signAuthorization({
        address: readAddress(code, 'address'),
        chainId: readQuantity(writeQuantity(chainId, 'chainId'), 'chainId'),
        nonce: readQuantity(writeQuantity(nonce, 'nonce'), 'nonce', 64),
      });
      return { address: code as Hex, chainId, nonce, ...formatParts(signature) };
    },
  };
}

function readMessage(message: string | { readonly raw: Hex | Uint8Array }): Uint8Array {
  if (typeof message === 'string') return utf8ToBytes(message);
  return typeof message.raw === 'string' ? readData(message.raw, 'message.raw') : message.raw;
}

/** Writes the parts of a signature as viem does. */
function formatParts({ r, s, yParity }: RecoverableSignature) {
  const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
  return { r: word(r), s: word(s), v: BigInt(27 + yParity), yParity };
}
