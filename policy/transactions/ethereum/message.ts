import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { computeAccount } from './account.ts';
import { makeEffect } from './effects.ts';
import { requireAnyNetwork } from './networks.ts';
import { decodeRlp } from './rlp.ts';

/** The longest message, in bytes. */
export const MAX_ETHEREUM_MESSAGE_BYTES = 16 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Characters that a person does not see, or that reorder what is seen; line feed and tab are neither. */
const INVISIBLE = /[\p{Cf}\p{Co}\p{Zl}\p{Zp}]|(?![\n\t])\p{Cc}/u;
const LOOKS_LIKE_HASH = /^(?:0x)?[0-9a-f]{64}$/i;

/**
 * Decodes a message of EIP-191, version 0x45 (personal_sign). It belongs to no chain: its network is null. `details` hold
 * `text` where all of it is visible UTF-8, otherwise `hex`, and `warning` where it looks like something else.
 *
 * @throws TransactionError
 */
export function decodeMessage(message: Uint8Array, context: DecodingContext): DecodedPayload {
  if (message.length > MAX_ETHEREUM_MESSAGE_BYTES) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'the message is too long', {
      maximum: MAX_ETHEREUM_MESSAGE_BYTES,
    });
  }
  requireAnyNetwork(context);
  const text = readText(message);
  const warning = findWarning(message, text);
  const details = {
    ...(text === undefined ? { hex: bytesToHex(message) } : { text }),
    ...(warning === undefined ? {} : { warning }),
  };
  const prefix = utf8ToBytes(`\u0019Ethereum Signed Message:\n${message.length}`);
  return {
    transaction: {
      kind: 'ethereum-message',
      network: null,
      source: computeAccount(context.publicKey).text,
      effects: [makeEffect('message', { details })],
      fee: null,
      nonce: null,
      gas: null,
      features: [],
      details: {},
    },
    signings: [{ input: { kind: 'digest', digest: keccak_256(concatBytes(prefix, message)) } }],
  };
}

function readText(message: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(message);
    return INVISIBLE.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function findWarning(message: Uint8Array, text: string | undefined): string | undefined {
  if (text === undefined ? message.length === 32 : LOOKS_LIKE_HASH.test(text)) {
    return 'looks like a hash: what it stands for is not in it';
  }
  if (message[0] === 0x19) return 'looks like data with a prefix of EIP-191';
  return looksLikeTransaction(message) ? 'looks like an encoded transaction' : undefined;
}

function looksLikeTransaction(message: Uint8Array): boolean {
  const first = message[0] ?? 0;
  const list = first >= 0xc0 ? message : message.subarray(1);
  if ((first < 0xc0 && (first === 0 || first > 5)) || (list[0] ?? 0) < 0xc1) return false;
  try {
    decodeRlp(list);
    return true;
  } catch (error) {
    return error instanceof TransactionError && error.code === 'TRANSACTION_TOO_LARGE';
  }
}
