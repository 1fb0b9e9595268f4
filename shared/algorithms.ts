import * as z from 'zod';

/** The kinds of keys that a node makes inside, and of shares that it takes in. */
export const KEY_TYPES = [
  'ed25519',
  'p256',
  'secp256k1',
  'frost-ed25519',
  'frost-secp256k1-taproot',
  'frost-p256',
  'frost-ristretto255',
] as const;
export const keyTypeSchema = z.enum(KEY_TYPES);
export type KeyType = z.infer<typeof keyTypeSchema>;

/** The key types that are shares of a group's key (FROST, RFC 9591). */
export const shareTypeSchema = keyTypeSchema.extract([
  'frost-ed25519',
  'frost-secp256k1-taproot',
  'frost-p256',
  'frost-ristretto255',
]);
export type ShareType = z.infer<typeof shareTypeSchema>;

/** The kinds of keys that clients have a node make while it runs, in a pool of its configuration. */
export const POOL_KEY_TYPES = [
  'ed25519',
  'p256',
  'p384',
  'secp256k1',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'aes-256',
  'hmac-224',
  'hmac-256',
  'hmac-384',
  'hmac-512',
] as const;
export const poolKeyTypeSchema = z.enum(POOL_KEY_TYPES);
export type PoolKeyType = z.infer<typeof poolKeyTypeSchema>;

/** What a key of a pool is for; one of its type's, for its whole life. */
export const keyUsageSchema = z.enum(['sign', 'encrypt', 'mac', 'agree']);
export type KeyUsage = z.infer<typeof keyUsageSchema>;

/** The signature algorithms of keys and shares. ECDSA signatures are low-S. */
export const ALGORITHMS = [
  'ed25519',
  'ecdsa-p256-sha256',
  'ecdsa-secp256k1',
  'bip340',
  'frost-ed25519',
  'frost-secp256k1-taproot',
  'frost-p256',
  'frost-ristretto255',
] as const;
export const algorithmSchema = z.enum(ALGORITHMS);
export type Algorithm = z.infer<typeof algorithmSchema>;

/**
 * The kinds of payloads that nobody can read. `message`: the algorithm's own hash is applied inside. `digest`: 32 bytes
 * that the client has hashed. `taproot-sighash`: a BIP-341 key-path signature hash, signed with the output key (tweaked
 * as BIP-341 says by `merkleRoot`, empty for BIP-86).
 */
export const BLIND_PAYLOAD_KINDS = ['message', 'digest', 'taproot-sighash'] as const;
export const blindPayloadKindSchema = z.enum(BLIND_PAYLOAD_KINDS);
export type BlindPayloadKind = z.infer<typeof blindPayloadKindSchema>;

/** All kinds of payloads; the node decodes those that are not blind, and hashes them itself. */
export const PAYLOAD_KINDS = [
  ...BLIND_PAYLOAD_KINDS,
  'ethereum-transaction',
  'ethereum-authorization',
  'ethereum-message',
  'ethereum-typed-data',
  'bitcoin-transaction',
  'tezos-operation',
  'tezos-consensus',
  'tezos-data',
  'tezos-proof-of-possession',
  'solana-transaction',
] as const;
export const payloadKindSchema = z.enum(PAYLOAD_KINDS);
export type PayloadKind = z.infer<typeof payloadKindSchema>;

const TEZOS = ['tezos-operation', 'tezos-consensus', 'tezos-data'] as const;
const ETHEREUM = [
  'ethereum-transaction',
  'ethereum-authorization',
  'ethereum-message',
  'ethereum-typed-data',
] as const;

const ALGORITHM_RULES: Readonly<Record<Algorithm, { key: KeyType; payloads: readonly PayloadKind[] }>> = {
  ed25519: { key: 'ed25519', payloads: ['message', 'solana-transaction', ...TEZOS] },
  'ecdsa-p256-sha256': { key: 'p256', payloads: ['message', 'digest', ...TEZOS] },
  'ecdsa-secp256k1': {
    key: 'secp256k1',
    payloads: ['message', 'digest', ...ETHEREUM, 'bitcoin-transaction', ...TEZOS],
  },
  bip340: { key: 'secp256k1', payloads: ['digest', 'taproot-sighash', 'bitcoin-transaction'] },
  'frost-ed25519': {
    key: 'frost-ed25519',
    payloads: ['message', 'solana-transaction', 'tezos-operation', 'tezos-data'],
  },
  'frost-secp256k1-taproot': {
    key: 'frost-secp256k1-taproot',
    payloads: ['digest', 'taproot-sighash', 'bitcoin-transaction'],
  },
  // No chain takes Schnorr signatures of these groups: what is signed is nothing that a decoder could read.
  'frost-p256': { key: 'frost-p256', payloads: ['message'] },
  'frost-ristretto255': { key: 'frost-ristretto255', payloads: ['message'] },
};

/** Returns the key type that an algorithm signs with and the payloads that it takes. */
export function describeAlgorithm(algorithm: Algorithm): { key: KeyType; payloads: readonly PayloadKind[] } {
  return ALGORITHM_RULES[algorithm];
}

export function isShareType(type: KeyType): type is ShareType {
  return (shareTypeSchema.options as readonly KeyType[]).includes(type);
}
