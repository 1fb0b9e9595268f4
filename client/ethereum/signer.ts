import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { computeAccount, decodeEthereum } from '../../policy/transactions/ethereum/index.ts';
import type { KeyInfo, SignRequest } from '../../shared/api/bodies.ts';
import type { TransactionPayload } from '../../shared/api/payloads.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_MESSAGE_BYTES } from '../../shared/api/payloads.ts';
import { ClientError } from '../errors.ts';
import type { Signed } from '../responses.ts';
import {
  encodeAuthorization,
  encodeSigned,
  encodeUnsigned,
  type EthereumTransaction,
  hashBytes,
  type RecoverableSignature,
  type SignedAuthorization,
} from './transaction.ts';

/** Whoever asks a node for signatures: a NodeClient, a QuorumClient, or what a door has. */
export interface SigningNode {
  sign(request: SignRequest): Promise<Pick<Signed, 'signature' | 'recovery'>>;
}

/** One account of a node: its key's id, its public key, and its address. */
export interface EthereumAccountKey {
  readonly id: string;
  /** Compressed SEC1. */
  readonly publicKey: Uint8Array;
  /** With the checksum of EIP-55. */
  readonly address: string;
  /** The public key's point in 64 bytes of hex, without the 0x04 of SEC 1. */
  readonly uncompressed: string;
}

type EthereumPayload = Extract<TransactionPayload, { kind: `ethereum-${string}` }>;

const MAX_DEPTH = 32;

/** Lists the keys of a node that Ethereum has accounts for. */
export function listAccountKeys(keys: readonly KeyInfo[]): EthereumAccountKey[] {
  return keys.flatMap(({ id, type, publicKey }) => {
    if (type !== 'secp256k1' || publicKey === null) return [];
    const bytes = Buffer.from(publicKey, 'hex');
    const point = secp256k1.Point.fromBytes(bytes).toBytes(false).subarray(1);
    return [{ id, publicKey: bytes, address: computeAccount(bytes).text, uncompressed: toHex(point) }];
  });
}

/**
 * Has payloads signed whole by one key, and verifies each signature: that it is the key's, over what was asked for.
 *
 * Each method throws what `sign` of the node throws, and ClientError ANSWER_MALFORMED for a signature that is another
 * key's or over something else.
 */
export class EthereumSigner {
  readonly key: EthereumAccountKey;
  readonly #node: SigningNode;

  constructor(node: SigningNode, key: EthereumAccountKey) {
    this.#node = node;
    this.key = key;
  }

  /** Signs a transaction. @returns the signed transaction, as the network takes it */
  async signTransaction(transaction: EthereumTransaction): Promise<Uint8Array> {
    const unsigned = encodeUnsigned(transaction);
    const payload = { kind: 'ethereum-transaction', transaction: toHex(unsigned) } as const;
    return encodeSigned(transaction, await this.#sign(payload, hashBytes(unsigned)));
  }

  /** Signs an encoded transaction that somebody else has made. */
  async signUnsigned(unsigned: Uint8Array): Promise<RecoverableSignature> {
    return await this.#sign(
      { kind: 'ethereum-transaction', transaction: toHex(unsigned) },
      hashBytes(unsigned),
    );
  }

  /** Signs a message as `personal_sign` does (EIP-191, version 0x45). */
  async signMessage(message: Uint8Array): Promise<RecoverableSignature> {
    return await this.#sign(
      { kind: 'ethereum-message', message: toHex(message) },
      hashBytes(concatBytes(messagePrefix(message.length), message)),
    );
  }

  /** Signs a document of `eth_signTypedData_v4` (EIP-712), JSON as it came. */
  async signTypedData(document: string): Promise<RecoverableSignature> {
    const payload = { kind: 'ethereum-typed-data', document } as const;
    return await this.#sign(payload, undefined);
  }

  /** Signs the hand-over of the account to code (EIP-7702). */
  async signAuthorization(
    authorization: Pick<SignedAuthorization, 'chainId' | 'address' | 'nonce'>,
  ): Promise<RecoverableSignature> {
    return await this.signEncodedAuthorization(encodeAuthorization(authorization));
  }

  /** Signs an encoded authorisation: 0x05 and a list. */
  async signEncodedAuthorization(encoded: Uint8Array): Promise<RecoverableSignature> {
    const payload = { kind: 'ethereum-authorization', authorization: toHex(encoded) } as const;
    return await this.#sign(payload, hashBytes(encoded));
  }

  async #sign(payload: EthereumPayload, digest: Uint8Array | undefined): Promise<RecoverableSignature> {
    const { signature, recovery } = await this.#node.sign({
      key: this.key.id,
      algorithm: 'ecdsa-secp256k1',
      payload,
    });
    return this.#verify(Buffer.from(signature, 'hex'), recovery, digest ?? this.#hashDocument(payload));
  }

  /** Computes the digest of a document, which the node has just read, by the same reader. */
  #hashDocument(payload: EthereumPayload): Uint8Array {
    const networks = payload.kind === 'ethereum-typed-data' ? [networkOf(payload.document)] : [];
    const { signings } = decodeEthereum(payload, {
      algorithm: 'ecdsa-secp256k1',
      publicKey: this.key.publicKey,
      networks,
      ownKeys: [],
    });
    const [input] = signings.map((signing) => signing.input);
    if (input?.kind !== 'digest') throw foreign();
    return input.digest;
  }

  #verify(signature: Buffer, recovery: number | undefined, digest: Uint8Array): RecoverableSignature {
    if (signature.length !== 64 || recovery === undefined) throw foreign();
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map((word) =>
      BigInt(`0x${word.toString('hex')}`),
    );
    let recovered: Uint8Array | undefined;
    try {
      recovered = new secp256k1.Signature(r ?? 0n, s ?? 0n, recovery).recoverPublicKey(digest).toBytes(true);
    } catch (error) {
      throw foreign(error);
    }
    if (!Buffer.from(recovered).equals(this.key.publicKey)) throw foreign();
    return { r: r ?? 0n, s: s ?? 0n, yParity: recovery };
  }
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Makes what stands before a message that is signed (EIP-191, version 0x45). */
export const messagePrefix = (length: number): Uint8Array =>
  utf8ToBytes(`\u0019Ethereum Signed Message:\n${length}`);

/** Names the network of a document's domain, or any where it names none. */
function networkOf(document: string): string {
  const value = parseJson(Buffer.from(document), { maxBytes: MAX_MESSAGE_BYTES, maxDepth: MAX_DEPTH });
  const { domain } = value as { domain?: { chainId?: unknown } };
  const chain = domain?.chainId;
  const isNumber = typeof chain === 'number' || (typeof chain === 'string' && chain !== '');
  return `eip155:${isNumber ? BigInt(chain) : 1n}`;
}

function foreign(cause?: unknown): ClientError {
  return new ClientError(
    'ANSWER_MALFORMED',
    'the signature is another key’s, or over something else than was asked for',
    {},
    cause,
  );
}
