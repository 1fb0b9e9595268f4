import { generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { issueCertificate } from '../../shared/x509/certificate.ts';

const LIFETIME_MS = 365 * 86_400_000;
/** Clients may be a little behind; they pin the key by its attestation document and not by these dates. */
const BACKDATE_MS = 86_400_000;

/** A TLS identity that exists for one boot and in this memory alone. */
export interface TlsIdentity {
  readonly certificate: string;
  /** PKCS #8 in PEM, as bytes: cleared once TLS has read it. */
  readonly privateKey: Buffer;
  /** DER SubjectPublicKeyInfo: the public_key of the node's attestation documents. */
  readonly publicKey: Uint8Array;
}

/** Makes a P-256 key and a self-signed certificate for it. */
export async function createTlsIdentity(name: string, now: number): Promise<TlsIdentity> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const certificate = issueCertificate({
    subject: name,
    publicKey,
    issuer: { name, privateKey },
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + LIFETIME_MS),
    names: [name],
  });
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const pem = encodePem(der);
  der.fill(0);
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return { certificate, privateKey: pem, publicKey: new Uint8Array(spki) };
}

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const HEADER = Buffer.from('-----BEGIN PRIVATE KEY-----\n');
const FOOTER = Buffer.from('\n-----END PRIVATE KEY-----\n');
const PAD = '='.charCodeAt(0);

/** PEM without a string on the way: a string cannot be cleared (P43). */
function encodePem(der: Uint8Array): Buffer {
  const body = Buffer.alloc(Math.ceil(der.length / 3) * 4);
  for (let index = 0, out = 0; index < der.length; index += 3) {
    const left = der.length - index;
    const group = ((der[index] ?? 0) << 16) | ((der[index + 1] ?? 0) << 8) | (der[index + 2] ?? 0);
    for (let digit = 0; digit < 4; digit += 1) {
      body[out++] = digit <= left ? (ALPHABET[(group >> (18 - 6 * digit)) & 63] ?? PAD) : PAD;
    }
  }
  const pem = Buffer.alloc(HEADER.length + body.length + FOOTER.length);
  HEADER.copy(pem);
  body.copy(pem, HEADER.length);
  FOOTER.copy(pem, HEADER.length + body.length);
  body.fill(0);
  return pem;
}
