/** Signature sections, good and bad, and the certificates and keys for them. */
import 'reflect-metadata';
import { createPrivateKey, type KeyObject, sign, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type CborEncodable, encodeCbor } from '../../../shared/cbor/index.ts';
import { RAMDISK, registerOf, SIGNATURE, sampleSections, writeImage } from './raw-image.ts';

export interface TestSigner {
  readonly key: KeyObject;
  /** Certificate in PEM. */
  readonly certificate: Uint8Array;
}

export const NOT_BEFORE = new Date('2026-01-01T00:00:00Z');
export const NOT_AFTER = new Date('2027-01-01T00:00:00Z');

export const MAY_SIGN = new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true);
export const MAY_AGREE = new KeyUsagesExtension(KeyUsageFlags.keyAgreement, true);
export const ANY_CA = new BasicConstraintsExtension(true, undefined, true);

const RSA = { publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };

/** Creates a key and its self-signed certificate. The dates are fixed unless others are given. */
export async function createTestSigner(
  kind: 'P-256' | 'P-384' | 'P-521' | 'RSA' = 'P-384',
  extensions: Extension[] = [MAY_SIGN],
  { notBefore, notAfter } = { notBefore: NOT_BEFORE, notAfter: NOT_AFTER },
): Promise<TestSigner> {
  const hash = { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512', RSA: 'SHA-256' }[kind];
  const algorithm =
    kind === 'RSA' ? { name: 'RSASSA-PKCS1-v1_5', hash, ...RSA } : { name: 'ECDSA', namedCurve: kind, hash };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=test image signer',
    serialNumber: '01',
    notBefore,
    notAfter,
    keys,
    extensions,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    key: createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }),
    certificate: new TextEncoder().encode(`${certificate.toString('pem')}\n`),
  };
}

const DAY_MS = 86_400_000;
/** Dates for code that asks the clock. */
export const validNow = () => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + DAY_MS),
});

/** Faults that a signature may have; the default is a good one. */
export interface SignatureShape {
  certificate?: Uint8Array;
  algorithm?: CborEncodable;
  protectedHeader?: Uint8Array;
  unprotectedHeader?: CborEncodable;
  pcr0?: Uint8Array;
  index?: number;
  payload?: Uint8Array;
  hash?: string;
  dsaEncoding?: 'der' | 'ieee-p1363';
  signature?: Uint8Array;
  prefix?: Uint8Array;
  /** Other items for the COSE_Sign1 than the usual four. */
  items?: (usual: CborEncodable[]) => CborEncodable[];
}

const pcr0Of = (contents: Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.from(registerOf(...contents), 'hex'));

/** Creates one member of the section's array. */
export function createEntry(signer: TestSigner, pcr0: Uint8Array, shape: SignatureShape = {}) {
  const payload =
    shape.payload ??
    encodeCbor({ register_index: shape.index ?? 0, register_value: [...(shape.pcr0 ?? pcr0)] });
  const header = shape.protectedHeader ?? encodeCbor(new Map([[1, shape.algorithm ?? -35]]));
  const message = encodeCbor(['Signature1', header, new Uint8Array(), payload]);
  const key = { key: signer.key, dsaEncoding: shape.dsaEncoding ?? 'ieee-p1363' } as const;
  const signature = shape.signature ?? sign(shape.hash ?? 'sha384', message, key);
  const usual = [header, shape.unprotectedHeader ?? new Map(), payload, new Uint8Array(signature)];
  const cose = encodeCbor(shape.items?.(usual) ?? usual);
  return {
    signing_certificate: [...(shape.certificate ?? signer.certificate)],
    signature: [...(shape.prefix ?? []), ...cose],
  };
}

/** Writes an image of version 4 whose signature section holds these bytes. */
export function writeSignedImage(section: Uint8Array): Uint8Array {
  return writeImage({ sections: [...sampleSections(), { type: SIGNATURE, content: section }] });
}

/** PCR0 of `sampleSections()`. */
export function samplePcr0(): Uint8Array {
  const sections = sampleSections();
  return pcr0Of([
    ...sections.slice(0, 2).map(({ content }) => content),
    ...sections.filter(({ type }) => type === RAMDISK).map(({ content }) => content),
  ]);
}
