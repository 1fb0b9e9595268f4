import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Tagged } from '../../../policy/transactions/tezos/index.ts';
import { verifyBls } from '../../../shared/signatures/bls.ts';
import { type Account, BLS, type WrittenSignature } from './account.ts';

/** First bytes of a request that a client signs (Octez: `Signer_messages.Sign.Request.to_sign`). */
const REQUEST_TAG = Uint8Array.of(0x04, 0x01);
const DIGEST_BYTES = 32;
/** What comes before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** Makes what a client signs to authenticate a request: 0x04 0x01 ‖ tag ‖ hash of the key asked for ‖ payload. */
export function encodeAuthentication({ tag, bytes }: Tagged, payload: Uint8Array): Uint8Array {
  return concatBytes(REQUEST_TAG, Uint8Array.of(tag), bytes, payload);
}

/** Verifies clients' signatures by their public keys. */
export class ClientAuthenticator {
  readonly #clients: readonly { readonly account: Account; readonly verify: Verify }[];

  constructor(accounts: readonly Account[]) {
    this.#clients = accounts.map((account) => ({ account, verify: createVerify(account.key) }));
  }

  /** Finds the client whose signature over `message` this is; undefined where it is nobody's. */
  findSigner(message: Uint8Array, { tag, bytes }: WrittenSignature): Account | undefined {
    const digest = blake2b(message, { dkLen: DIGEST_BYTES });
    const found = this.#clients.find(
      ({ account, verify: isBy }) =>
        (tag === undefined ? account.key.tag !== BLS : account.key.tag === tag) &&
        isBy({ message, digest }, bytes),
    );
    return found?.account;
  }
}

type Verify = (
  signed: { readonly message: Uint8Array; readonly digest: Uint8Array },
  signature: Uint8Array,
) => boolean;

/** Options of ECDSA over a digest; Tezos takes a high s, too. */
const ECDSA = { prehash: false, lowS: false } as const;

function createVerify({ tag, bytes: publicKey }: Tagged): Verify {
  switch (tag) {
    case 0: {
      const key = toEd25519(publicKey);
      return ({ digest }, signature) => verify(null, digest, key, signature);
    }
    case 1:
      return ({ digest }, signature) => secp256k1.verify(signature, digest, publicKey, ECDSA);
    case 2:
      return ({ digest }, signature) => p256.verify(signature, digest, publicKey, ECDSA);
    default:
      return ({ message }, signature) => verifyBls(publicKey, message, signature);
  }
}

function toEd25519(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([ED25519_SPKI, publicKey]), format: 'der', type: 'spki' });
}
