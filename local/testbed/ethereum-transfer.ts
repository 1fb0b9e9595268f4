import { keccak_256 } from '@noble/hashes/sha3.js';
import type { SignRequest } from '../../shared/api/bodies.ts';

/** Transfer of ether as the demonstration asks for it: EIP-1559 on Ethereum's mainnet. */
export interface EthereumTransfer {
  /** Request for its signature, with the whole unsigned transaction. */
  readonly request: SignRequest;
  /** Hash that the signature has to cover: keccak256 of the unsigned transaction. */
  readonly hash: Uint8Array;
}

const GWEI = 1_000_000_000n;
const TRANSFER_GAS = 21_000n;

/** Makes the request for a transfer. @param to 20 bytes in hex with 0x; @param wei amount in wei */
export function makeTransfer(key: string, to: string, wei: bigint, nonce: bigint): EthereumTransfer {
  const address = Buffer.from(to.slice(2), 'hex');
  const items = [1n, nonce, GWEI, 30n * GWEI, TRANSFER_GAS].map(encodeInteger);
  const body = Buffer.concat([...items, encodeString(address), encodeInteger(wei), Buffer.of(0x80, 0xc0)]);
  if (body.length > 55) throw new RangeError('expected a list of at most 55 bytes');
  const transaction = Buffer.concat([Buffer.of(0x02, 0xc0 + body.length), body]);
  return {
    request: {
      key,
      algorithm: 'ecdsa-secp256k1',
      payload: { kind: 'ethereum-transaction', transaction: transaction.toString('hex') },
    },
    hash: keccak_256(transaction),
  };
}

function encodeInteger(value: bigint): Buffer {
  const hex = value === 0n ? '' : value.toString(16);
  return encodeString(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}

/** RLP of up to 55 bytes. */
function encodeString(bytes: Buffer): Buffer {
  const [first = 0x80] = bytes;
  if (bytes.length === 1 && first < 0x80) return bytes;
  return Buffer.concat([Buffer.of(0x80 + bytes.length), bytes]);
}
