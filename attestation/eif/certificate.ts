import { X509Certificate } from 'node:crypto';
import { EifError } from './errors.ts';

export type SigningCurve = 'P-256' | 'P-384' | 'P-521';

/** The certificate of a signed image. PCR8 is the measurement of its bytes; nobody checks who issued it. */
export interface SigningCertificate {
  readonly der: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly curve: SigningCurve;
}

const CURVES: Readonly<Record<string, SigningCurve>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const PEM =
  /^\s*-----BEGIN CERTIFICATE-----\r?\n((?:[A-Za-z0-9+/=]{1,76}\r?\n)+)-----END CERTIFICATE-----\s*$/;

/**
 * Reads the one certificate of a PEM file. A second one, or text around it, is refused: PCR8 covers the first alone,
 * and what a person reads may be another.
 * @throws EifError EIF_CERTIFICATE
 */
export function parseSigningCertificate(pem: Uint8Array): SigningCertificate {
  const der = decodePem(pem);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (error) {
    throw new EifError('EIF_CERTIFICATE', 'the signing certificate cannot be read', {}, error);
  }
  // The hypervisor measures the certificate as its own library encodes it.
  if (!Buffer.from(der).equals(certificate.raw)) {
    throw new EifError(
      'EIF_CERTIFICATE',
      'the signing certificate is not in the one encoding that DER allows',
    );
  }
  return {
    der,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serialNumber: certificate.serialNumber,
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    curve: curveOf(certificate),
  };
}

/**
 * Both ends of the validity count as valid (RFC 5280, 4.1.2.5).
 * @throws EifError EIF_CERTIFICATE_TIME
 */
export function assertValidAt({ notBefore, notAfter }: SigningCertificate, at: Date): void {
  if (at < notBefore || at > notAfter) {
    throw new EifError('EIF_CERTIFICATE_TIME', 'the signing certificate is not valid at that time', {
      expected: `${notBefore.toISOString()} to ${notAfter.toISOString()}`,
      actual: at.toISOString(),
    });
  }
}

function decodePem(pem: Uint8Array): Uint8Array {
  const base64 = PEM.exec(Buffer.from(pem).toString('latin1'))?.[1]?.replaceAll(/\s/g, '');
  const der = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  if (der === undefined || der.toString('base64') !== base64) {
    throw new EifError('EIF_CERTIFICATE', 'the signing certificate is not one PEM block');
  }
  return new Uint8Array(der);
}

function curveOf(certificate: X509Certificate): SigningCurve {
  let name: string | undefined;
  try {
    name = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
  } catch (error) {
    throw new EifError('EIF_CERTIFICATE', "the signing certificate's key cannot be read", {}, error);
  }
  const curve = name === undefined ? undefined : CURVES[name];
  if (curve === undefined) {
    throw new EifError('EIF_CERTIFICATE', "the signing certificate's key is not on a NIST curve", {
      expected: 'P-256, P-384 or P-521',
      actual: name ?? 'another kind of key',
    });
  }
  return curve;
}
