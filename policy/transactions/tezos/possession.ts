import { TransactionError } from '../errors.ts';
import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { BLS, printKeyHash, printPublicKey } from './address.ts';
import { isEqual } from './bytes.ts';
import { findNetwork, hashSigner } from './network.ts';

/**
 * Decodes the request for a key's proof that its secret is held: a signature over its own public key, which the chain
 * wants of keys of BLS12-381 before it adds their signatures. The public key of anybody else is refused.
 *
 * @throws TransactionError TRANSACTION_KEY_MISMATCH, TRANSACTION_NETWORK_MISMATCH
 */
export function decodePossession(publicKey: Uint8Array, context: DecodingContext): DecodedPayload {
  findNetwork(context);
  const signer = hashSigner(context);
  if (signer.tag !== BLS || !isEqual(publicKey, context.publicKey)) {
    throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'a key proves its own possession alone', {
      algorithm: context.algorithm,
    });
  }
  return {
    transaction: {
      kind: 'tezos-proof-of-possession',
      network: null,
      source: printKeyHash(signer),
      effects: [
        {
          type: 'message',
          to: null,
          asset: null,
          amount: null,
          contract: null,
          selector: null,
          details: { possessionOf: printPublicKey({ tag: BLS, bytes: publicKey }) },
        },
      ],
      fee: null,
      nonce: null,
      gas: null,
      features: [],
      details: {},
    },
    signings: [{ input: { kind: 'message', message: publicKey, suite: 'proof-of-possession' } }],
  };
}
