import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../attestation/certificate.ts';
import { describeName } from '../../attestation/certificate-name.ts';
import {
  AttestationError,
  AttestationVerifier,
  decodeCertificateFile,
  decodeDocumentFile,
  formatPcrFile,
  parsePcrFile,
  unsafeParseAttestationDocument,
} from '../../attestation/index.ts';
import { AT, forgeChain } from './forge/chain.ts';
import { forgeDocument } from './forge/document.ts';

/** Whether it gave a result; anything but a coded refusal goes through. */
function taken(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof AttestationError) return false;
    throw error;
  }
}

const { document, root, pcrs } = forgeDocument();
const chain = Object.values(forgeChain());

/** Some bytes of something valid, replaced, removed or put in. */
function damaged(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(original.length - 1);
  return fc
    .tuple(place, fc.uint8Array({ maxLength: 4 }), fc.nat(4))
    .map(([at, inserted, removed]) =>
      Uint8Array.from([...original.subarray(0, at), ...inserted, ...original.subarray(at + removed)]),
    )
    .filter((changed) => Buffer.compare(changed, original) !== 0);
}

describe('whatever the bytes', () => {
  test('a certificate is taken or refused with a code', () => {
    const certificate = fc.constantFrom(...chain);
    fc.assert(
      fc.property(certificate.chain(damaged), (bytes) => {
        expect(typeof taken(() => describeName(parseCertificate(bytes).subject))).toBe('boolean');
      }),
      { numRuns: 3000 },
    );
  });

  test('no prefix of a certificate is one', () => {
    for (const certificate of chain) {
      for (let end = 0; end < certificate.length; end += 1) {
        expect(taken(() => parseCertificate(certificate.subarray(0, end)))).toBe(false);
      }
    }
  });

  test('a certificate that is taken has one reading: its parts are views of it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...chain).chain(damaged), (bytes) => {
        fc.pre(taken(() => parseCertificate(bytes)));
        const { der, tbsCertificate, subject } = parseCertificate(bytes);
        expect(der).toBe(bytes);
        expect(
          Buffer.from(der).includes(tbsCertificate) && Buffer.from(tbsCertificate).includes(subject),
        ).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('a damaged document never verifies, and is refused with a code', () => {
    const verifier = new AttestationVerifier();
    verifier.verify(document, { root, at: AT, pcrs });
    fc.assert(
      fc.property(damaged(document), (bytes) => {
        expect(taken(() => verifier.verify(bytes, { root, at: AT, pcrs }))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test('a document is parsed or refused with a code', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(document), fc.uint8Array({ maxLength: 300 })), (bytes) => {
        expect(typeof taken(() => unsafeParseAttestationDocument(bytes))).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  test('pcr.json is taken or refused with a code, and what is taken is written the same', () => {
    const value = fc
      .uint8Array({ minLength: 48, maxLength: 48 })
      .filter((bytes) => bytes.some((byte) => byte !== 0));
    const values = fc.uniqueArray(fc.tuple(fc.integer({ min: 3, max: 31 }), value), {
      selector: ([index]) => index,
    });
    fc.assert(
      fc.property(values, value, fc.boolean(), (others, image, upper) => {
        const all = new Map([[0, image], [1, image], [2, image], ...others]); // prettier-ignore
        const text = formatPcrFile(all);
        const cased = upper ? text.replaceAll(/"[0-9a-f]{96}"/g, (digits) => digits.toUpperCase()) : text;
        expect(parsePcrFile(cased)).toEqual(new Map([...all].sort(([left], [right]) => left - right)));
      }),
      { numRuns: 200 },
    );
    const original = new TextEncoder().encode(formatPcrFile(pcrs));
    fc.assert(
      fc.property(fc.oneof(damaged(original), fc.uint8Array({ maxLength: 100 })), (bytes) => {
        expect(typeof taken(() => parsePcrFile(bytes))).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  test('a file of a document decodes to it in every spelling, or is refused with a code', () => {
    const white = fc.constantFrom('', '\n', ' \r\n');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), white, (bytes, space) => {
        // What is ASCII by chance is read as text; no document is.
        const binary = Uint8Array.from([0x84, ...bytes]);
        const buffer = Buffer.from(binary);
        const spaced = (text: string): Uint8Array =>
          Buffer.from((text.match(/.{1,30}/g) ?? []).join(space) + space);
        expect(decodeDocumentFile(binary)).toEqual(binary);
        expect(decodeDocumentFile(spaced(buffer.toString('hex')))).toEqual(binary);
        // Base64 that happens to be all hex digits is hex.
        const base64 = buffer.toString('base64');
        fc.pre(!/^[0-9a-f]*$/i.test(base64));
        expect(decodeDocumentFile(spaced(base64))).toEqual(binary);
        expect(decodeDocumentFile(spaced(buffer.toString('base64url')))).toEqual(binary);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = Buffer.from(text);
        expect(typeof taken(() => [decodeDocumentFile(bytes), decodeCertificateFile(bytes)])).toBe('boolean');
      }),
      { numRuns: 1000 },
    );
  });
});

test('base64 whose padding bits hide something is refused', () => {
  expect(taken(() => decodeDocumentFile(Buffer.from('hA==')))).toBe(true);
  expect(taken(() => decodeDocumentFile(Buffer.from('hB==')))).toBe(false);
  expect(taken(() => decodeDocumentFile(Buffer.from('hEQ')))).toBe(true);
  expect(taken(() => decodeDocumentFile(Buffer.from('hER')))).toBe(false);
  expect(taken(() => decodeDocumentFile(Buffer.from('hESha')))).toBe(false);
  expect(taken(() => decodeDocumentFile(Buffer.from('+_+_')))).toBe(false);
});
