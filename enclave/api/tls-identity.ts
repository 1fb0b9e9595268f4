import { generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { issueCertificate } from '../../shared/x509/certificate.ts';
import { encodePrivateKeyPem } from './pem.ts';

const LIFETIME_MS = 365 * 86_400_000;
/** Milliseconds by which the certificate is backdated, for clients whose clock is behind. They trust the key by its
 * attestation document and not by these dates. */
const BACKDATE_MS = 86_400_000;

/** A TLS key and its certificate. They live for one boot, in the enclave's memory alone. */
export interface TlsIdentity {
  readonly certificate: string;
  /** PKCS #8 in PEM, as bytes that the server clears once TLS has read them. */
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
  const pem = encodePrivateKeyPem(der);
  der.fill(0);
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return { certificate, privateKey: pem, publicKey: new Uint8Array(spki) };
}
