import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  encodeBitString,
  encodeExplicit,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeTime,
  encodeTlv,
  encodeTrue,
  encodeUtf8String,
} from '../asn1/index.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
};

export interface CertificateOptions {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject };
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DNS names and addresses of a server; a certificate without any is an authority's. */
  readonly names?: readonly string[];
}

/** Writes an X.509 v3 certificate (RFC 5280) for P-256 keys, and returns it as PEM. */
export function issueCertificate(options: CertificateOptions): string {
  const algorithm = encodeSequence(encodeOid(ECDSA_WITH_SHA256));
  const body = encodeSequence(
    encodeExplicit(0, encodeInteger(Uint8Array.of(2))),
    encodeInteger(Buffer.concat([Uint8Array.of(1), randomBytes(15)])),
    algorithm,
    encodeName(options.issuer.name),
    encodeSequence(encodeTime(options.notBefore), encodeTime(options.notAfter)),
    encodeName(options.subject),
    exportSpki(options.publicKey),
    encodeExplicit(3, encodeSequence(...encodeExtensions(options))),
  );
  const signature = sign('sha256', body, { key: options.issuer.privateKey, dsaEncoding: 'der' });
  const der = Buffer.from(encodeSequence(body, algorithm, encodeBitString(signature)));
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function encodeName(commonName: string): Uint8Array {
  return encodeSequence(encodeSet(encodeSequence(encodeOid(COMMON_NAME), encodeUtf8String(commonName))));
}

function encodeExtensions({ names, publicKey, issuer }: CertificateOptions): Uint8Array[] {
  const keyIds = [
    encodeExtension(EXTENSION.subjectKeyIdentifier, encodeOctetString(keyId(publicKey))),
    encodeExtension(
      EXTENSION.authorityKeyIdentifier,
      encodeSequence(encodeTlv(0x80, keyId(createPublicKey(issuer.privateKey)))),
    ),
  ];
  if (names === undefined) {
    return [
      encodeExtension(EXTENSION.basicConstraints, encodeSequence(encodeTrue()), true),
      // keyCertSign and cRLSign
      encodeExtension(EXTENSION.keyUsage, encodeBitString(Uint8Array.of(0b0000_0110), 1), true),
      ...keyIds,
    ];
  }
  return [
    encodeExtension(EXTENSION.basicConstraints, encodeSequence(), true),
    // digitalSignature
    encodeExtension(EXTENSION.keyUsage, encodeBitString(Uint8Array.of(0b1000_0000), 7), true),
    encodeExtension(EXTENSION.extendedKeyUsage, encodeSequence(encodeOid(SERVER_AUTH))),
    encodeExtension(EXTENSION.subjectAltName, encodeSequence(...names.map(encodeGeneralName))),
    ...keyIds,
  ];
}

function encodeExtension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return encodeSequence(encodeOid(oid), ...(critical ? [encodeTrue()] : []), encodeOctetString(value));
}

function encodeGeneralName(name: string): Uint8Array {
  if (isIP(name) === 4) return encodeTlv(0x87, Uint8Array.from(name.split('.').map(Number)));
  if (name === '::1')
    return encodeTlv(
      0x87,
      Uint8Array.from({ length: 16 }, (_, index) => Number(index === 15)),
    );
  return encodeTlv(0x82, Buffer.from(name, 'ascii'));
}

function exportSpki(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' });
}

function keyId(key: KeyObject): Uint8Array {
  return createHash('sha256').update(exportSpki(key)).digest().subarray(0, 20);
}
