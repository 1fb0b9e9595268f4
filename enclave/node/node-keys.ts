import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { encodeCbor } from '../../shared/cbor/index.ts';
import type { NodeManifest } from '../../shared/documents/manifest.ts';

const FORMAT = 1;
const SEED_BYTES = 32;

/** Fields of a manifest on which the keys of a node depend, so that they outlive a change of its authorities. */
export type NodePlace = Pick<NodeManifest, 'namespace' | 'environment' | 'node'> & {
  /** Begins the names of the node and its log; `node` when left out. A cold node is none that attests. */
  readonly kind?: 'cold';
};

/** Ed25519 key by which a node speaks for itself. */
export interface NodeKey {
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

/** Keys of a node that no record holds: the same password gives the same keys, whatever the parent does to the store. */
export interface NodeKeys {
  /** Signs checkpoints of the log. */
  readonly log: NodeKey;
  /** Signs receipts. */
  readonly receipt: NodeKey;
  /** Cosigns checkpoints of the other nodes' logs. */
  readonly witness: NodeKey;
}

/**
 * Derives 32 bytes for one purpose: HKDF-SHA-384 (RFC 5869) of the Encryptor Master Password. The caller clears them.
 *
 * @param purpose the first member of `info`, so that no two purposes share bytes
 */
export function deriveNodeSecret(
  password: Uint8Array,
  purpose: string,
  { namespace, environment, node }: NodePlace,
): Buffer {
  const info = encodeCbor([purpose, FORMAT, namespace, environment, node]);
  return Buffer.from(hkdfSync('sha384', password, new Uint8Array(48), info, SEED_BYTES));
}

/** Derives the keys of the log, of receipts and of the witness. The caller clears the password. */
export function deriveNodeKeys(password: Uint8Array, place: NodePlace): NodeKeys {
  const derive = (purpose: string) => holdSeed(deriveNodeSecret(password, purpose, place));
  return {
    log: derive('holdfast log key'),
    receipt: derive('holdfast receipt key'),
    witness: derive('holdfast witness key'),
  };
}

function holdSeed(seed: Buffer): NodeKey {
  const privateKey = createPrivateKey({ key: seed, format: 'raw-private', asymmetricKeyType: 'ed25519' });
  seed.fill(0);
  return {
    publicKey: new Uint8Array(createPublicKey(privateKey).export({ format: 'raw-public' })),
    privateKey,
  };
}
