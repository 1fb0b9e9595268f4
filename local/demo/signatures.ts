import { createPublicKey, verify } from 'node:crypto';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { NodeClient } from '../../client/index.ts';
import type { SignResponse, SignRequest } from '../../shared/api/bodies.ts';
import { hashEthereumTransaction, TAPROOT_VECTORS } from './published-vectors.ts';

/** Signature of the demonstration: the payload, and how somebody else verifies the signature. */
export interface DemoSignature {
  readonly title: string;
  readonly request: SignRequest;
  /** Verifies with node:crypto or @noble/curves, which the node did not choose. */
  readonly verify: (answer: SignResponse) => boolean;
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const MESSAGE = Buffer.from('what Solana and the audit log sign are messages');
const MESSAGE_HEX = MESSAGE.toString('hex');

function verifyEthereum({ signature, recovery, publicKey }: SignResponse): boolean {
  const hash = hashEthereumTransaction();
  if (recovery === undefined) return false;
  const recovered = secp256k1.Signature.fromBytes(bytes(signature))
    .addRecoveryBit(recovery)
    .recoverPublicKey(hash);
  return (
    addressOf(recovered.toBytes(false)) === addressOf(secp256k1.Point.fromHex(publicKey).toBytes(false)) &&
    secp256k1.verify(bytes(signature), hash, bytes(publicKey), { prehash: false, lowS: true })
  );
}

/** Ethereum address: the last 20 bytes of keccak256 of the uncompressed key. */
function addressOf(uncompressed: Uint8Array): string {
  return Buffer.from(keccak_256(uncompressed.subarray(1)))
    .subarray(-20)
    .toString('hex');
}

function verifyEd25519({ signature, publicKey }: SignResponse): boolean {
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, MESSAGE, key, bytes(signature));
}

function verifyP256({ signature, publicKey }: SignResponse): boolean {
  // SubjectPublicKeyInfo of a compressed P-256 point (RFC 5480).
  const spki = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${publicKey}`, 'hex');
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verify('sha256', MESSAGE, { key, dsaEncoding: 'ieee-p1363' }, bytes(signature));
}

/** One signature of each algorithm that a key signs with alone. */
export const DEMO_SIGNATURES: readonly DemoSignature[] = [
  {
    title: 'Ethereum: the hash of an EIP-1559 transaction (ECDSA secp256k1)',
    request: {
      key: 'ethereum-hot',
      algorithm: 'ecdsa-secp256k1',
      payload: { kind: 'digest', digest: Buffer.from(hashEthereumTransaction()).toString('hex') },
    },
    verify: verifyEthereum,
  },
  ...TAPROOT_VECTORS.map(({ sighash, merkleRoot }, index) => ({
    title: `Bitcoin: the taproot sighash of input ${index} of BIP-341 (BIP-340)`,
    request: {
      key: 'bitcoin-hot',
      algorithm: 'bip340',
      payload: { kind: 'taproot-sighash', digest: sighash, merkleRoot },
    } satisfies SignRequest,
    verify: ({ signature, publicKey }: SignResponse) =>
      schnorr.verify(bytes(signature), bytes(sighash), bytes(publicKey)),
  })),
  {
    title: 'a message (Ed25519)',
    request: { key: 'solana-hot', algorithm: 'ed25519', payload: { kind: 'message', message: MESSAGE_HEX } },
    verify: verifyEd25519,
  },
  {
    title: 'a message (ECDSA P-256)',
    request: {
      key: 'audit-log',
      algorithm: 'ecdsa-p256-sha256',
      payload: { kind: 'message', message: MESSAGE_HEX },
    },
    verify: verifyP256,
  },
];

/** Asks for a signature and verifies it. */
export async function signAndVerify(
  client: NodeClient,
  { request, verify }: DemoSignature,
): Promise<boolean> {
  return verify(await client.sign(request));
}
