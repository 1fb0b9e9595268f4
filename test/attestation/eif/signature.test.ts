import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { Extension } from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEif, type DescribeOptions, EifError, memorySource } from '../../../attestation/eif/index.ts';
import { type CborEncodable, encodeCbor } from '../../../shared/cbor/index.ts';
import { bytesOf, registerOf, toHex } from './raw-image.ts';
import {
  ANY_CA,
  createEntry,
  createTestSigner,
  MAY_AGREE,
  MAY_SIGN,
  NOT_AFTER,
  NOT_BEFORE,
  samplePcr0,
  type SignatureShape,
  type TestSigner,
  writeSignedImage,
} from './signed-image.ts';

let signer: TestSigner;
let other: TestSigner;
let p256: TestSigner;
let p521: TestSigner;
let rsa: TestSigner;

beforeAll(async () => {
  [signer, other, p256, p521, rsa] = await Promise.all([
    createTestSigner(),
    createTestSigner(),
    createTestSigner('P-256'),
    createTestSigner('P-521'),
    createTestSigner('RSA'),
  ]);
});

const pcr0 = samplePcr0();
const derOf = (pem: Uint8Array): Buffer =>
  Buffer.from(
    Buffer.from(pem)
      .toString('latin1')
      .replaceAll(/-----[A-Z ]+-----|\s/g, ''),
    'base64',
  );
const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;

/** The last place that holds `from` holds `to` instead, and after it `then`. */
function edited(der: Buffer, from: string, to: string, then = ''): Buffer {
  const at = der.lastIndexOf(Buffer.from(from, 'hex'));
  if (at === -1) throw new RangeError(`no ${from} in the certificate`);
  const result = Buffer.from(der);
  Buffer.from(to + then, 'hex').copy(result, at);
  return result;
}

const entryOf = (shape: SignatureShape = {}, by = signer) => createEntry(by, pcr0, shape);
const describeSection = (section: CborEncodable, options: DescribeOptions = {}) =>
  describeEif(memorySource(writeSignedImage(encodeCbor(section))), options);

async function refusalOf(section: CborEncodable | Uint8Array, options: DescribeOptions = {}) {
  const bytes = section instanceof Uint8Array ? section : encodeCbor(section);
  const error: unknown = await describeEif(memorySource(writeSignedImage(bytes)), options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EifError)) throw new Error('not refused with an EifError', { cause: error });
  return error;
}

describe('a signed image', () => {
  it('has the measurement of its certificate as PCR8', async () => {
    const { measurements, signature } = await describeSection([entryOf()]);
    expect(toHex(measurements)['PCR8']).toBe(registerOf(derOf(signer.certificate)));
    expect(signature?.algorithm).toBe('ES384');
    expect(signature?.certificate).toMatchObject({
      subject: 'CN=test image signer',
      curve: 'P-384',
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
    });
  });

  it('may be signed on P-256 with ES256 and on P-521 with ES512', async () => {
    const with256 = entryOf({ algorithm: -7, hash: 'sha256' }, p256);
    expect((await describeSection([with256])).signature?.algorithm).toBe('ES256');
    const with521 = entryOf({ algorithm: -36, hash: 'sha512' }, p521);
    expect((await describeSection([with521])).signature?.algorithm).toBe('ES512');
  });

  it('may carry the tag of COSE_Sign1', async () => {
    const { signature } = await describeSection([entryOf({ prefix: new Uint8Array([0xd2]) })]);
    expect(signature?.algorithm).toBe('ES384');
  });

  it('is good from the first to the last moment of its certificate, both included', async () => {
    for (const at of [NOT_BEFORE, NOT_AFTER]) {
      expect((await describeSection([entryOf()], { at })).signature?.algorithm).toBe('ES384');
    }
    for (const at of [new Date(NOT_BEFORE.getTime() - 1), new Date(NOT_AFTER.getTime() + 1)]) {
      expect((await refusalOf([entryOf()], { at })).code).toBe('EIF_CERTIFICATE_TIME');
    }
  });

  it('has the same PCR8 whatever the line ends of its certificate', async () => {
    const crlf = bytesOf(Buffer.from(signer.certificate).toString('latin1').replaceAll('\n', '\r\n'));
    const { measurements } = await describeSection([entryOf({ certificate: crlf })]);
    expect(toHex(measurements)['PCR8']).toBe(registerOf(derOf(signer.certificate)));
  });
});

describe('the certificate of a signed image', () => {
  it.each<[string, Extension[]]>([
    ['without a key usage', [ANY_CA]],
    [
      'with an extension that nobody has to know',
      [MAY_SIGN, new Extension('1.2.3.4', false, Uint8Array.of(5, 0))],
    ],
  ])('may be one %s', async (_, extensions) => {
    const allowed = await createTestSigner('P-384', extensions);
    expect((await describeSection([entryOf({}, allowed)])).signature?.algorithm).toBe('ES384');
  });
});

describe('a signed image is refused', () => {
  it('when its array of signatures is empty', async () => {
    const { code, details } = await refusalOf([]);
    expect(code).toBe('EIF_SIGNATURE_COUNT');
    expect(details).toEqual({ expected: 1, actual: 0 });
  });

  it('when it carries a second signature, which nobody verifies', async () => {
    expect((await refusalOf([entryOf(), entryOf()])).code).toBe('EIF_SIGNATURE_COUNT');
  });

  it('when another PCR0 was signed', async () => {
    const shape = { pcr0: new Uint8Array(createHash('sha384').update('another image').digest()) };
    expect((await refusalOf([entryOf(shape)])).code).toBe('EIF_SIGNATURE_PAYLOAD');
  });

  it('when the value was signed as another register', async () => {
    expect((await refusalOf([entryOf({ index: 1 })])).code).toBe('EIF_SIGNATURE_PAYLOAD');
  });

  it('when the payload says the same in another encoding', async () => {
    const payload = encodeCbor({ register_value: [...pcr0], register_index: 0 });
    expect((await refusalOf([entryOf({ payload })])).code).toBe('EIF_SIGNATURE_PAYLOAD');
    const asBytes = encodeCbor({ register_index: 0, register_value: pcr0 });
    expect((await refusalOf([entryOf({ payload: asBytes })])).code).toBe('EIF_SIGNATURE_PAYLOAD');
  });

  it('when another key signed', async () => {
    const entry = entryOf({ certificate: signer.certificate }, other);
    expect((await refusalOf([entry])).code).toBe('EIF_SIGNATURE_INVALID');
  });

  it.each([0, 47, 48, 95])('when byte %i of the signature was changed', async (position) => {
    const good = entryOf();
    const at = good.signature.length - 96 + position;
    const changed = { ...good, signature: good.signature.with(at, (good.signature[at] ?? 0) ^ 1) };
    expect((await refusalOf([changed])).code).toBe('EIF_SIGNATURE_INVALID');
  });

  it.each([
    ['zeros', new Uint8Array(96)],
    ['empty', new Uint8Array()],
    ['97 bytes', new Uint8Array(97).fill(1)],
  ])('when its signature is %s', async (_, signature) => {
    expect((await refusalOf([entryOf({ signature })])).code).toBe('EIF_SIGNATURE_INVALID');
  });

  it('when its signature is DER instead of r ‖ s', async () => {
    expect((await refusalOf([entryOf({ dsaEncoding: 'der' })])).code).toBe('EIF_SIGNATURE_INVALID');
  });

  it.each<[string, CborEncodable]>([
    ['ES256', -7],
    ['ES512', -36],
    ['HS384', 6],
    ['text', 'ES384'],
    ['false', false],
  ])('when its algorithm is %s though the key is on P-384', async (_, algorithm) => {
    expect((await refusalOf([entryOf({ algorithm })])).code).toBe('EIF_SIGNATURE_INVALID');
  });

  it('when the curve is smaller than the algorithm', async () => {
    expect((await refusalOf([entryOf({}, p256)])).code).toBe('EIF_SIGNATURE_INVALID');
  });

  it.each<[string, SignatureShape]>([
    [
      'crit',
      {
        protectedHeader: encodeCbor(
          new Map<number, CborEncodable>([
            [1, -35],
            [2, [1]],
          ]),
        ),
      },
    ],
    ['no algorithm', { protectedHeader: encodeCbor(new Map()) }],
    ['an empty protected header', { protectedHeader: new Uint8Array() }],
    ['a protected header that is no map', { protectedHeader: encodeCbor([1, -35]) }],
    ['an unprotected header', { unprotectedHeader: new Map([[4, bytesOf('key')]]) }],
    ['another tag', { prefix: new Uint8Array([0xd1]) }],
    ['a COSE_Sign1 of three', { items: (usual) => usual.slice(0, 3) }],
    ['a COSE_Sign1 of five', { items: (usual) => [...usual, null] }],
    ['a detached payload', { items: (usual) => usual.with(2, null) }],
    ['two tags', { prefix: new Uint8Array([0xd2, 0xd2]) }],
  ])('with %s', async (_, shape) => {
    expect((await refusalOf([entryOf(shape)])).code).toBe('EIF_SIGNATURE_FORMAT');
  });

  it.each<[string, (entry: ReturnType<typeof createEntry>) => CborEncodable]>([
    ['a map instead of an array', (entry) => entry],
    ['a number instead of a signature', () => [1]],
    ['no certificate', ({ signature }) => [{ signature }]],
    ['no signature', ({ signing_certificate }) => [{ signing_certificate }]],
    ['a member more', (entry) => [{ ...entry, extra: 1 }]],
    [
      'its members in another order',
      ({ signature, signing_certificate }) => [
        new Map([
          ['signature', signature],
          ['signing_certificate', signing_certificate],
        ]),
      ],
    ],
    [
      'a certificate as byte string',
      ({ signature, signing_certificate }) => [
        { signing_certificate: Uint8Array.from(signing_certificate), signature },
      ],
    ],
    ['an empty certificate', ({ signature }) => [{ signing_certificate: [], signature }]],
    ['an empty signature', ({ signing_certificate }) => [{ signing_certificate, signature: [] }]],
    [
      'a byte of 256',
      ({ signature, signing_certificate }) => [
        { signing_certificate: [...signing_certificate, 256], signature },
      ],
    ],
    [
      'a byte of -1',
      ({ signature, signing_certificate }) => [{ signing_certificate, signature: [...signature, -1] }],
    ],
    [
      'bytes after the COSE_Sign1',
      ({ signature, signing_certificate }) => [{ signing_certificate, signature: [...signature, 0] }],
    ],
  ])('with %s', async (_, change) => {
    expect((await refusalOf(change(entryOf()))).code).toBe('EIF_SIGNATURE_FORMAT');
  });

  it('with bytes after the array, or an array of indefinite length', async () => {
    const section = encodeCbor([entryOf()]);
    const trailing = new Uint8Array([...section, 0]);
    expect((await refusalOf(trailing)).code).toBe('EIF_SIGNATURE_FORMAT');
    const indefinite = new Uint8Array([0x9f, ...section.subarray(1), 0xff]);
    expect((await refusalOf(indefinite)).code).toBe('EIF_SIGNATURE_FORMAT');
  });

  it.each<[string, (pem: string, der: Buffer) => string]>([
    ['two certificates', (pem) => pem + pem],
    ['text before its certificate', (pem) => `CN=somebody else\n${pem}`],
    ['text after its certificate', (pem) => `${pem}CN=somebody else\n`],
    ['DER instead of PEM', (_, der) => der.toString('latin1')],
    ['another PEM label', (pem) => pem.replaceAll('CERTIFICATE', 'PUBLIC KEY')],
    ['bytes after the certificate', (_, der) => pemOf(Buffer.concat([der, Buffer.alloc(1)]))],
    ['a truncated certificate', (_, der) => pemOf(der.subarray(0, -1))],
    ['base64 that is not canonical', (pem) => pem.replace(/(\S)=*\n-----END/, '$1=====\n-----END')],
    ['nothing between the lines', () => '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['a certificate of version 2', (_, der) => pemOf(edited(der, 'a003020102', 'a003020101'))],
    [
      'two signature algorithms in one certificate',
      (_, der) => pemOf(edited(der, '06082a8648ce3d040303', '06082a8648ce3d040302')),
    ],
    [
      'a key that is no point of its curve',
      (_, der) => pemOf(edited(der, '2b8104002203620004', '2b8104002203620004', 'ff'.repeat(48))),
    ],
    [
      'a certificate in BER',
      (_, der) => pemOf(Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(4), Buffer.alloc(2)])),
    ],
  ])('with %s', async (_, change) => {
    const pem = Buffer.from(signer.certificate).toString('latin1');
    const certificate = new Uint8Array(Buffer.from(change(pem, derOf(signer.certificate)), 'latin1'));
    expect((await refusalOf([entryOf({ certificate })])).code).toBe('EIF_CERTIFICATE');
  });

  it('with an RSA key', async () => {
    const entry = entryOf({ certificate: rsa.certificate });
    expect((await refusalOf([entry])).code).toBe('EIF_CERTIFICATE');
  });

  it.each<[string, Extension[]]>([
    ['whose key is for key agreement', [MAY_AGREE]],
    [
      'with a critical extension that nobody knows',
      [MAY_SIGN, new Extension('1.2.3.4', true, Uint8Array.of(5, 0))],
    ],
    ['with the same extension twice', [MAY_SIGN, MAY_SIGN]],
  ])('with a certificate %s', async (_, extensions) => {
    const strange = await createTestSigner('P-384', extensions);
    expect((await refusalOf([entryOf({}, strange)])).code).toBe('EIF_CERTIFICATE');
  });

  it('at every prefix of its signature section', async () => {
    const section = encodeCbor([entryOf()]);
    for (let length = 1; length < section.length; length += 1) {
      expect((await refusalOf(section.subarray(0, length))).code).toBe('EIF_SIGNATURE_FORMAT');
    }
  });
});
