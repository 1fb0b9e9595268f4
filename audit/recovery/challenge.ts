import { createHash, createPublicKey, verify } from 'node:crypto';
import { isShareType, type KeyType, type PoolKeyType, type ShareType } from '../../shared/algorithms.ts';
import { nobleSuites, verifySignature } from '../../shared/frost/index.ts';
import { type CanonicalJson, encodeCanonicalJson } from '../../shared/json/index.ts';
import { encodePublicKey, type PublicKeyType } from '../../shared/public-keys.ts';
import { verifyBls } from '../../shared/signatures/bls.ts';

/** What the recovered key of a drill signs: text that no chain takes for a transaction, and that one drill alone has. */
export function encodeChallenge(
  core: { readonly [member: string]: CanonicalJson | undefined },
  key: string,
): Uint8Array {
  const digest = createHash('sha256').update(encodeCanonicalJson(core)).digest('hex');
  return Buffer.from(
    `holdfast-drill/1\nThis signature proves a recovery and orders nothing.\nkey ${key}\ndrill ${digest}\n`,
  );
}

/** A public key, and how it is written: as a node lists it, or as the SubjectPublicKeyInfo of a key of a pool. */
export interface ProvenKey {
  readonly kind: 'key' | 'share' | 'pool-key';
  readonly type: KeyType | PoolKeyType;
  /** Hex. */
  readonly publicKey: string;
}

/** BIP-340 signs 32 bytes: the SHA-256 of the challenge. */
export function messageOf(type: KeyType | PoolKeyType, challenge: Uint8Array): Uint8Array {
  return type === 'frost-secp256k1-taproot' ? createHash('sha256').update(challenge).digest() : challenge;
}

/**
 * Verifies the signature of a drill over its challenge: FROST by its suite's equation, ECDSA and RSA (PKCS #1 v1.5) with
 * SHA-256, of P-384 with SHA-384, Ed25519, and BLS.
 */
export function verifyChallenge(key: ProvenKey, challenge: Uint8Array, signature: Uint8Array): boolean {
  const { type, kind } = key;
  const publicKey = Buffer.from(key.publicKey, 'hex');
  const message = messageOf(type, challenge);
  try {
    if (isShare(type)) return verifySignature(nobleSuites[type], publicKey, message, signature);
    if (type === 'bls12-381') return verifyBls(publicKey, message, signature);
    const spki =
      kind === 'pool-key' ? publicKey : encodePublicKey({ type: type as PublicKeyType, publicKey });
    const spkiKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return verify(hashOf(type), message, spkiKey, signature);
  } catch {
    // Whatever is no key and no signature proves nothing.
    return false;
  }
}

const isShare = (type: KeyType | PoolKeyType): type is ShareType => isShareType(type as KeyType);

/** The hash that OpenSSL signs a message with; null where the algorithm has its own. */
export function hashOf(type: KeyType | PoolKeyType): 'sha256' | 'sha384' | null {
  if (type === 'ed25519') return null;
  return type === 'p384' ? 'sha384' : 'sha256';
}
