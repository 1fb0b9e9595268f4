import { createHash } from 'node:crypto';
import type { Curves } from '../../enclave/keys/index.ts';

/** Operations that are compared, in the order in which cases draw them. */
export const COMPARED = ['p256', 'ecdsa', 'bip340', 'taproot', 'range'] as const;

/** The order of secp256k1 and of P-256 (SEC 2, 2.4), around which scalars are drawn more often than by chance. */
const EDGES = [
  0n,
  0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
];
const MODULUS = 1n << 256n;

/** Draws bytes that a seed and a number decide, 32 for each name: any case can be had again by itself. */
function draw(seed: string, number: number, name: string): Buffer {
  return createHash('sha256').update(`${seed}/${number}/${name}`).digest();
}

function drawScalar(seed: string, number: number, isEdge: boolean): Buffer {
  const random = draw(seed, number, 'secret');
  if (!isEdge) return random;
  const edge = EDGES[(random[0] ?? 0) % EDGES.length] ?? 0n;
  const scalar = (edge + BigInt(random.readInt8(1) >> 4) + MODULUS) % MODULUS;
  return Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
}

/** Runs one case; two implementations must give the same result, in hex. */
export function runCase(curves: Curves, seed: string, number: number): string {
  const compared = COMPARED[number % COMPARED.length] ?? 'range';
  const secret = drawScalar(seed, number, compared === 'range' || number % 7 === 0);
  const [digest, auxiliary, root] = ['digest', 'auxiliary', 'root'].map((name) => draw(seed, number, name));
  if (digest === undefined || auxiliary === undefined || root === undefined) throw new RangeError('no bytes');
  if (number % 11 === 0) digest.fill(number % 2 === 0 ? 0 : 0xff);
  const p256 = curves.holdP256(secret);
  const secp256k1 = curves.holdSecp256k1(secret);
  try {
    if (p256 === undefined || secp256k1 === undefined) {
      return hex(p256?.publicKey, secp256k1?.publicKey);
    }
    const results: Readonly<Record<typeof compared, () => string>> = {
      p256: () => hex(p256.publicKey, p256.signEcdsa(digest)),
      ecdsa: () => {
        const { signature, recovery } = secp256k1.signEcdsa(digest);
        return hex(signature, Uint8Array.of(recovery));
      },
      bip340: () => {
        const { signature, publicKey } = secp256k1.signBip340(digest, auxiliary);
        return hex(signature, publicKey);
      },
      taproot: () => {
        const merkleRoot = number % 3 === 0 ? root.subarray(0, 0) : root;
        const { signature, publicKey } = secp256k1.signTaproot(digest, auxiliary, merkleRoot);
        return hex(signature, publicKey);
      },
      range: () => hex(p256.publicKey, secp256k1.publicKey),
    };
    return results[compared]();
  } finally {
    p256?.clear();
    secp256k1?.clear();
  }
}

function hex(...parts: readonly (Uint8Array | undefined)[]): string {
  return parts.map((part) => (part === undefined ? 'none' : Buffer.from(part).toString('hex'))).join(' ');
}
