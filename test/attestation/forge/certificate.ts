import { hexToBytes } from '@noble/hashes/utils.js';
import { bitString, boolean, der, octetString, oid, sequence, set, text, time, unsigned } from './der.ts';
import { forgeKey, sign } from './keys.ts';

export const ECDSA_WITH_SHA384 = hexToBytes('300a06082a8648ce3d040303');
export const ECDSA_WITH_SHA256 = hexToBytes('300a06082a8648ce3d040302');
const P384_PUBLIC_KEY = hexToBytes('301006072a8648ce3d020106052b81040022');

/** Parts of a certificate, in DER unless the comment says otherwise: any of them can be made wrong on its own. */
export interface CertificateParts {
  version: Uint8Array;
  serial: Uint8Array;
  signedAlgorithm: Uint8Array;
  issuer: Uint8Array;
  notBefore: Uint8Array;
  notAfter: Uint8Array;
  subject: Uint8Array;
  publicKeyInfo: Uint8Array;
  /** issuerUniqueID and subjectUniqueID. */
  uniqueIds: Uint8Array;
  extensions: Uint8Array[];
  /** Replaces `extensions` with the whole [3], or with nothing when it is empty. */
  extensionsField?: Uint8Array;
  /** Bytes after the extensions, inside of the TBSCertificate. */
  signedTail: Uint8Array;
  algorithm: Uint8Array;
  /** Name of the key that signs. */
  signer: string;
  /** Changes r ‖ s. */
  alterSignature: (signature: Uint8Array) => Uint8Array;
  /** Makes the BIT STRING of r ‖ s. */
  encodeSignature: (signature: Uint8Array) => Uint8Array;
  /** Changes the TBSCertificate before it is signed. */
  alterSigned: (signed: Uint8Array) => Uint8Array;
  /** Changes the certificate when all is done. */
  alter: (certificate: Uint8Array) => Uint8Array;
}

export function name(commonName: string): Uint8Array {
  return sequence(
    set(sequence(oid('550406'), text(0x13, 'US'))),
    set(sequence(oid('55040a'), text(0x0c, 'Holdfast test authority'))),
    set(sequence(oid('550403'), text(0x0c, commonName))),
  );
}

export function publicKeyInfo(point: Uint8Array, algorithm: Uint8Array = P384_PUBLIC_KEY): Uint8Array {
  return sequence(algorithm, bitString(0, point));
}

export function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(critical ? [boolean(0xff)] : []), octetString(value));
}

export function basicConstraints(ca: boolean, pathLength?: number, critical = true): Uint8Array {
  const length = pathLength === undefined ? [] : [unsigned(Uint8Array.of(pathLength))];
  return extension('551d13', critical, sequence(...(ca ? [boolean(0xff)] : []), ...length));
}

/** keyCertSign and cRLSign, as AWS's authorities have them. */
export const SIGNS_CERTIFICATES = extension('551d0f', true, bitString(1, Uint8Array.of(0x06)));
/** digitalSignature and nonRepudiation, not critical, as AWS's leaves have them. */
export const SIGNS_DOCUMENTS = extension('551d0f', false, bitString(6, Uint8Array.of(0xc0)));

export function ecdsaValue(signature: Uint8Array): Uint8Array {
  return sequence(unsigned(signature.subarray(0, 48)), unsigned(signature.subarray(48)));
}

/** Puts a certificate together and signs it. */
export function buildCertificate(parts: CertificateParts): Uint8Array {
  const extensions = parts.extensionsField ?? der(0xa3, sequence(...parts.extensions));
  const signed = parts.alterSigned(
    sequence(
      parts.version,
      parts.serial,
      parts.signedAlgorithm,
      parts.issuer,
      sequence(parts.notBefore, parts.notAfter),
      parts.subject,
      parts.publicKeyInfo,
      parts.uniqueIds,
      extensions,
      parts.signedTail,
    ),
  );
  const signature = parts.alterSignature(sign(forgeKey(parts.signer), signed));
  return parts.alter(sequence(signed, parts.algorithm, parts.encodeSignature(signature)));
}

const same = (bytes: Uint8Array): Uint8Array => bytes;
const NOTHING = new Uint8Array();

/** Parts of a certificate as it should be, to be changed in places. Keys are named after their owners. */
export function certificateParts(options: {
  subject: string;
  issuer: string;
  serial: number;
  notBefore: number;
  notAfter: number;
  extensions: Uint8Array[];
}): CertificateParts {
  return {
    version: der(0xa0, der(0x02, Uint8Array.of(2))),
    serial: unsigned(Uint8Array.of(0x5a, options.serial)),
    signedAlgorithm: ECDSA_WITH_SHA384,
    issuer: name(options.issuer),
    notBefore: time(options.notBefore),
    notAfter: time(options.notAfter),
    subject: name(options.subject),
    publicKeyInfo: publicKeyInfo(forgeKey(options.subject).point),
    uniqueIds: NOTHING,
    extensions: options.extensions,
    signedTail: NOTHING,
    algorithm: ECDSA_WITH_SHA384,
    signer: options.issuer,
    alterSignature: same,
    encodeSignature: (signature) => bitString(0, ecdsaValue(signature)),
    alterSigned: same,
    alter: same,
  };
}
