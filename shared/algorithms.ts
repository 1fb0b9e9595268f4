import * as z from 'zod';

/** The kinds of keys that a node makes inside, and of shares that it takes in. */
export const KEY_TYPES = [
  'ed25519',
  'p256',
  'p384',
  'secp256k1',
  'bls12-381',
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

/**
 * The algorithms of keys and shares. ECDSA signatures are low-S; RSASSA-PSS has a salt as long as its hash, and MGF1 of the
 * same hash, as RSAES-OAEP has; `bls12-381-pop` is BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ (public keys in G1);
 * `aes-256-gcm` is XAES-256-GCM (C2SP); `ecdh` is the x-coordinate of the shared point.
 */
export const ALGORITHMS = [
  'ed25519',
  'ed25519ph',
  'ecdsa-p256-sha256',
  'ecdsa-p384-sha384',
  'ecdsa-secp256k1',
  'bip340',
  'bls12-381-pop',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'frost-ed25519',
  'frost-secp256k1-taproot',
  'frost-p256',
  'frost-ristretto255',
  'rsa-oaep-sha1',
  'rsa-oaep-sha256',
  'aes-256-gcm',
  'hmac-sha224',
  'hmac-sha256',
  'hmac-sha384',
  'hmac-sha512',
  'ecdh',
] as const;
export const algorithmSchema = z.enum(ALGORITHMS);
export type Algorithm = z.infer<typeof algorithmSchema>;

/**
 * The kinds of payloads that nobody can read. `message`: the algorithm's own hash is applied inside. `digest`: what
 * the client has hashed, by the algorithm's hash or another of its length. `taproot-sighash`: a BIP-341 key-path signature hash, signed with the output key (tweaked
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

/** What an algorithm is for and what it takes. */
export interface AlgorithmDescription {
  /** The types of keys that it is one of. */
  readonly keys: readonly (KeyType | PoolKeyType)[];
  readonly usage: KeyUsage;
  /** The payloads that it signs; none where its usage is another one. */
  readonly payloads: readonly PayloadKind[];
  /** Length of a payload of kind `digest`, in bytes; 0 where it takes none. */
  readonly digestBytes: 0 | 32 | 48 | 64;
}

const RSA = ['rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
const sign = (
  keys: AlgorithmDescription['keys'],
  payloads: readonly PayloadKind[],
  digestBytes: AlgorithmDescription['digestBytes'] = 0,
): AlgorithmDescription => ({ keys, usage: 'sign', payloads, digestBytes });
const use = (usage: KeyUsage, keys: AlgorithmDescription['keys']): AlgorithmDescription => ({
  keys,
  usage,
  payloads: [],
  digestBytes: 0,
});
const BLIND = ['message', 'digest'] as const;

const ALGORITHM_RULES: Readonly<Record<Algorithm, AlgorithmDescription>> = {
  ed25519: sign(['ed25519'], ['message', 'solana-transaction', ...TEZOS]),
  ed25519ph: sign(['ed25519'], BLIND, 64),
  'ecdsa-p256-sha256': sign(['p256'], [...BLIND, ...TEZOS], 32),
  'ecdsa-p384-sha384': sign(['p384'], BLIND, 48),
  'ecdsa-secp256k1': sign(['secp256k1'], [...BLIND, ...ETHEREUM, 'bitcoin-transaction', ...TEZOS], 32),
  bip340: sign(['secp256k1'], ['digest', 'taproot-sighash', 'bitcoin-transaction'], 32),
  'bls12-381-pop': sign(['bls12-381'], [...TEZOS, 'tezos-proof-of-possession']),
  'rsa-pss-sha256': sign(RSA, BLIND, 32),
  'rsa-pss-sha384': sign(RSA, BLIND, 48),
  'rsa-pss-sha512': sign(RSA, BLIND, 64),
  'rsa-pkcs1-sha256': sign(RSA, BLIND, 32),
  'rsa-pkcs1-sha384': sign(RSA, BLIND, 48),
  'rsa-pkcs1-sha512': sign(RSA, BLIND, 64),
  'frost-ed25519': sign(
    ['frost-ed25519'],
    ['message', 'solana-transaction', 'tezos-operation', 'tezos-data'],
  ),
  'frost-secp256k1-taproot': sign(
    ['frost-secp256k1-taproot'],
    ['digest', 'taproot-sighash', 'bitcoin-transaction'],
    32,
  ),
  // No chain takes Schnorr signatures of these groups: what is signed is nothing that a decoder could read.
  'frost-p256': sign(['frost-p256'], ['message']),
  'frost-ristretto255': sign(['frost-ristretto255'], ['message']),
  'rsa-oaep-sha1': use('encrypt', RSA),
  'rsa-oaep-sha256': use('encrypt', RSA),
  'aes-256-gcm': use('encrypt', ['aes-256']),
  'hmac-sha224': use('mac', ['hmac-224']),
  'hmac-sha256': use('mac', ['hmac-256']),
  'hmac-sha384': use('mac', ['hmac-384']),
  'hmac-sha512': use('mac', ['hmac-512']),
  ecdh: use('agree', ['p256', 'p384']),
};

/** Describes an algorithm: the keys that it is one of, its usage, and the payloads that it signs. */
export function describeAlgorithm(algorithm: Algorithm): AlgorithmDescription {
  return ALGORITHM_RULES[algorithm];
}

/** Lists the usages that a key of a type may be made for; a key of the configuration signs. */
export function listUsages(type: KeyType | PoolKeyType): readonly KeyUsage[] {
  const usages = ALGORITHMS.map(describeAlgorithm).flatMap(({ keys, usage }) =>
    keys.includes(type) ? [usage] : [],
  );
  return [...new Set(usages)];
}

export function isShareType(type: KeyType): type is ShareType {
  return (shareTypeSchema.options as readonly KeyType[]).includes(type);
}
