import { KeyObject, X509Certificate } from 'node:crypto';
import type { Payload } from '../shared/api/bodies.ts';
import type { NodeTrust } from './node-identity.ts';

/** Checks of a caller's arguments: a mistake is a TypeError with the remedy, not a node's refusal or a failed verification. */

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

/** Checks a nonce. @throws TypeError for anything but 16 to 64 bytes */
export function assertNonce(nonce: unknown): asserts nonce is Uint8Array {
  if (isBytes(nonce) && nonce.length >= 16 && nonce.length <= 64) return;
  throw new TypeError('nonce is a Uint8Array of 16 to 64 bytes');
}

/** Checks the types in `trust`. @throws TypeError for a root or manifest as text, a root that is no DER, unparsed PCRs */
export function assertTrust({ root, pcrs, manifest }: NodeTrust): void {
  assertDer(root);
  if (typeof manifest === 'string' || !isBytes(manifest)) {
    throw new TypeError(
      'trust.manifest is the bytes of the manifest as they are: await readFile("manifest.json")',
    );
  }
  const sets: readonly unknown[] = Array.isArray(pcrs) ? pcrs : [pcrs];
  if (sets.length === 0 || !sets.every((set) => set instanceof Map)) {
    throw new TypeError(
      'trust.pcrs is what parsePcrFile returns, or several of them: a Map of Uint8Array by number',
    );
  }
}

function assertDer(root: unknown): void {
  const hint =
    'trust.root is a certificate in DER: AWS_NITRO_ROOT_G1, or decodeCertificateFile(await readFile("root.pem"))';
  if (typeof root === 'string') throw new TypeError(`${hint}; this is text`);
  if (!isBytes(root)) throw new TypeError(hint);
  if (root[0] === 0x2d) throw new TypeError(`${hint}; this is a PEM`);
  try {
    // X509Certificate ignores bytes after the certificate, so the length is compared.
    if (new X509Certificate(root).raw.length === root.length) return;
  } catch {
    throw new TypeError(`${hint}; this is no certificate`);
  }
  throw new TypeError(`${hint}; something follows this certificate`);
}

/** Checks the client's key. @throws TypeError for a key in PEM or DER, a public key, or a key of another type */
export function assertSigningKey(key: unknown): void {
  if (key instanceof KeyObject && key.type === 'private' && key.asymmetricKeyType === 'ed25519') return;
  throw new TypeError(
    'privateKey is an Ed25519 private KeyObject: createPrivateKey(await readFile("client.pem"))',
  );
}

/** Checks the id of a request that waits. @throws TypeError for anything but 32 hex digits in lower case */
export function assertRequestId(id: unknown): asserts id is string {
  if (typeof id === 'string' && /^[0-9a-f]{32}$/.test(id)) return;
  throw new TypeError('id is 32 hex digits in lower case: details.id of APPROVALS_NEEDED');
}

const DIGEST_DIGITS: readonly number[] = [64, 96, 128];
const HEX_FIELDS = [
  'message',
  'digest',
  'merkleRoot',
  'transaction',
  'authorization',
  'operation',
  'data',
  'publicKey',
] as const;

/** Checks the hex of a payload. @throws TypeError for bytes, `0x…` or anything else that is not hex in lower case */
export function assertPayload(payload: Payload): void {
  for (const field of HEX_FIELDS) {
    if (!(field in payload)) continue;
    const value: unknown = (payload as unknown as Record<string, unknown>)[field];
    const hint = `payload.${field} is hex in lower case without 0x`;
    if (isBytes(value)) throw new TypeError(`${hint}; these are bytes: Buffer.from(bytes).toString("hex")`);
    if (typeof value !== 'string') throw new TypeError(hint);
    if (/^0x/i.test(value)) throw new TypeError(`${hint}; this begins with 0x: ${field}.slice(2)`);
    if (!/^(?:[0-9a-f]{2})*$/.test(value)) throw new TypeError(hint);
    if (field === 'digest' && !DIGEST_DIGITS.includes(value.length))
      throw new TypeError('payload.digest is 32, 48 or 64 bytes: 64, 96 or 128 hex digits');
  }
}
