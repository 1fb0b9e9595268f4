import { createPublicKey, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../shared/errors.ts';
import { equalBytes } from '../bytes.ts';
import { readExtensions } from '../certificate-extensions.ts';
import { describeName, readName } from '../certificate-name.ts';
import { readTime } from '../certificate-time.ts';
import { DER_TAG, type DerReader } from '../../shared/asn1/der-reader.ts';
import { openDer } from '../der.ts';
import { EifError } from './errors.ts';

/** Curve of a signing key, by its name in FIPS 186-5. */
export type SigningCurve = 'P-256' | 'P-384' | 'P-521';

/** The certificate of a signed image. PCR8 measures its DER; who issued the certificate is never checked. */
export interface SigningCertificate {
  readonly der: Uint8Array;
  /** Subject as `CN=…, O=…`, in printable ASCII. */
  readonly subject: string;
  /** Issuer in the same form. */
  readonly issuer: string;
  /** Serial number in lower-case hex. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly curve: SigningCurve;
  readonly publicKey: KeyObject;
}

const CURVES: Readonly<Record<string, SigningCurve>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const PEM =
  /^\s*-----BEGIN CERTIFICATE-----\r?\n((?:[A-Za-z0-9+/=]{1,76}\r?\n)+)-----END CERTIFICATE-----\s*$/;

const TAG_VERSION = 0xa0;
const TAG_EXTENSIONS = 0xa3;
const VERSION_3 = 2;

/**
 * Parses the one certificate of a PEM file, of version 1 or 3. A second certificate, or text around the first, is refused:
 * PCR8 covers the first alone, and a person might read another.
 *
 * @throws EifError EIF_CERTIFICATE, whose cause says what is wrong in the DER
 */
export function parseSigningCertificate(pem: Uint8Array): SigningCertificate {
  const der = decodePem(pem);
  try {
    return parseDer(der);
  } catch (error) {
    if (error instanceof EifError || !(error instanceof HoldfastError)) throw error;
    throw refusal(
      'the signing certificate breaks the rules of DER or RFC 5280',
      { actual: error.code },
      error,
    );
  }
}

/**
 * Checks that a certificate is valid at a time; both ends of the validity count as valid (RFC 5280 section 4.1.2.5).
 *
 * @throws EifError EIF_CERTIFICATE_TIME
 */
export function assertValidAt({ notBefore, notAfter }: SigningCertificate, at: Date): void {
  if (at < notBefore || at > notAfter) {
    throw new EifError(
      'EIF_CERTIFICATE_TIME',
      `the signing certificate is not valid at ${at.toISOString()}`,
      {
        expected: `${notBefore.toISOString()} to ${notAfter.toISOString()}`,
        actual: at.toISOString(),
      },
    );
  }
}

function decodePem(pem: Uint8Array): Uint8Array {
  const base64 = PEM.exec(Buffer.from(pem).toString('latin1'))?.[1]?.replaceAll(/\s/g, '');
  const der = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  if (der === undefined || der.toString('base64') !== base64) {
    throw refusal('the signing certificate file is not exactly one CERTIFICATE block in PEM');
  }
  return new Uint8Array(der);
}

/** Parses a Certificate (RFC 5280 section 4.1). Its signature is not verified, since no root is known to verify it with. */
function parseDer(der: Uint8Array): SigningCertificate {
  const outer = openDer(der);
  const certificate = outer.enter(DER_TAG.sequence);
  outer.finish();
  const fields = certificate.enter(DER_TAG.sequence);
  const version = readVersion(fields);
  const serialNumber = Buffer.from(fields.readInteger()).toString('hex');
  const algorithm = fields.readWhole(DER_TAG.sequence);
  const issuer = describeName(readName(fields));
  const validity = fields.enter(DER_TAG.sequence);
  const notBefore = new Date(readTime(validity));
  const notAfter = new Date(readTime(validity));
  validity.finish();
  const subject = describeName(readName(fields));
  const key = readPublicKey(fields.readWhole(DER_TAG.sequence));
  if (version === VERSION_3 && !fields.atEnd) assertMaySign(fields);
  fields.finish();
  if (!equalBytes(certificate.readWhole(DER_TAG.sequence), algorithm)) {
    throw refusal('the signing certificate names two signature algorithms');
  }
  certificate.readBitString();
  certificate.finish();
  return { der, subject, issuer, serialNumber, notBefore, notAfter, ...key };
}

/** Reads the version: 0 for version 1, without extensions, as in AWS's guide to signing; 2 for version 3. */
function readVersion(fields: DerReader): number {
  if (fields.peekTag() !== TAG_VERSION) return 0;
  const wrapper = fields.enter(TAG_VERSION);
  const version = wrapper.readInteger();
  wrapper.finish();
  if (version.length !== 1 || version[0] !== VERSION_3) {
    throw refusal('the signing certificate is neither of version 1 nor of version 3');
  }
  return VERSION_3;
}

function assertMaySign(fields: DerReader): void {
  const { keyUsage } = readExtensions(fields.enter(TAG_EXTENSIONS));
  if (keyUsage?.digitalSignature === false) {
    throw refusal("the signing certificate's keyUsage lacks digitalSignature");
  }
}

function readPublicKey(spki: Uint8Array): { publicKey: KeyObject; curve: SigningCurve } {
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (error) {
    throw refusal("the signing certificate's key cannot be read", {}, error);
  }
  const name = publicKey.asymmetricKeyDetails?.namedCurve;
  const curve = name === undefined ? undefined : CURVES[name];
  if (curve === undefined) {
    throw refusal("the signing certificate's key is not on a NIST curve", {
      expected: 'P-256, P-384 or P-521',
      actual: name ?? publicKey.asymmetricKeyType,
    });
  }
  return { publicKey, curve };
}

function refusal(message: string, details: Record<string, unknown> = {}, cause?: unknown): EifError {
  return new EifError('EIF_CERTIFICATE', message, details, cause);
}
