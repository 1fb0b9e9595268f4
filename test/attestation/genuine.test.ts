import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  AttestationError,
  AttestationVerifier,
  AWS_NITRO_ROOT_G1,
  describeName,
  unsafeParseAttestationDocument,
  verifyAttestationDocument,
} from '../../attestation/index.ts';
import { GENUINE, hasGenuineDocuments, readGenuine } from './genuine.ts';
import { refusalOf } from './refusal.ts';

const root = AWS_NITRO_ROOT_G1;

test('the root is the one that AWS publishes the fingerprint of', () => {
  expect(createHash('sha256').update(root).digest('hex')).toBe(
    '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
  );
});

describe.skipIf(!hasGenuineDocuments)('documents that AWS signed', () => {
  const accepted = GENUINE.filter(({ debug }) => !debug);
  const debugging = GENUINE.filter(({ debug }) => debug);

  test.each(accepted)('$name verifies at its own time', ({ name }) => {
    const document = readGenuine(name);
    const { payload } = unsafeParseAttestationDocument(document);
    const { pcrs } = payload;
    const verified = verifyAttestationDocument(document, { root, at: 'document', pcrs });
    expect(verified).toMatchObject({
      moduleId: payload.moduleId,
      timestamp: payload.timestamp,
      debug: false,
    });
    expect(verified.instanceId).toBe(payload.moduleId.split('-enc')[0]);
    expect(verified.certificates).toHaveLength(5);
  });

  test.each(GENUINE)('$name has expired today', ({ name }) => {
    const document = readGenuine(name);
    const { pcrs } = unsafeParseAttestationDocument(document).payload;
    const { code, details } = refusalOf(() =>
      verifyAttestationDocument(document, { root, at: Date.now(), pcrs }),
    );
    expect({ code, details }).toMatchObject({
      code: 'CERTIFICATE_EXPIRED',
      details: { field: 'cabundle', index: 1 },
    });
  });

  test.each(debugging)('$name, of a debug enclave, is refused by that name', ({ name }) => {
    const document = readGenuine(name);
    const { pcrs } = unsafeParseAttestationDocument(document).payload;
    const options = { root, at: 'document', pcrs } as const;
    expect(refusalOf(() => verifyAttestationDocument(document, options))).toMatchObject({
      code: 'DEBUG_ENCLAVE',
      details: { field: 'pcrs', index: 0 },
    });
    expect(verifyAttestationDocument(document, { ...options, allowDebug: true }).debug).toBe(true);
  });

  test('maps of definite and of indefinite length are both genuine', () => {
    const first = (name: string): number | undefined =>
      unsafeParseAttestationDocument(readGenuine(name)).message.payload[0];
    expect(first('anjuna-2021.cbor')).toBe(0xa9);
    expect(first('tkhq-tvc-32pcr.cbor')).toBe(0xbf);
  });

  test('user_data of 746 bytes is taken, and an empty one is not an absent one', () => {
    const long = unsafeParseAttestationDocument(readGenuine('cape-key.cbor')).payload;
    const empty = unsafeParseAttestationDocument(readGenuine('fastcrypto-pcr16.cbor')).payload;
    const absent = unsafeParseAttestationDocument(readGenuine('anjuna-2021.cbor')).payload;
    expect([long.userData?.length, empty.userData?.length, absent.userData]).toEqual([746, 0, null]);
  });

  test('no bit of a genuine document can be flipped', () => {
    const document = readGenuine('fastcrypto-pcr16.cbor');
    const { pcrs } = unsafeParseAttestationDocument(document).payload;
    const verifier = new AttestationVerifier();
    const taken: number[] = [];
    // Every third byte, every bit in turn: what the CBOR and DER readers let through costs a signature each.
    for (let index = 0; index < document.length; index += 3) {
      const changed = new Uint8Array(document);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      const { code } = refusalOf(() => verifier.verify(changed, { root, at: 'document', pcrs }));
      if (code === 'TAKEN') taken.push(index);
    }
    expect(taken).toEqual([]);
  });

  test('no prefix of a genuine document is one', () => {
    const document = readGenuine('anjuna-2021.cbor');
    const taken: number[] = [];
    for (let end = 0; end < document.length; end += 1) {
      const { code } = refusalOf(() => unsafeParseAttestationDocument(document.subarray(0, end)));
      if (code !== 'CBOR_TRUNCATED') taken.push(end);
    }
    expect(taken).toEqual([]);
  });

  test('its certificates read as OpenSSL reads them', () => {
    const { certificates } = unsafeParseAttestationDocument(readGenuine('tkhq-tvc-32pcr.cbor'));
    expect(certificates).toHaveLength(5);
    for (const certificate of certificates) {
      if (certificate instanceof AttestationError) throw certificate;
      const other = new X509Certificate(certificate.der);
      expect(new Date(certificate.notBefore)).toEqual(other.validFromDate);
      expect(new Date(certificate.notAfter)).toEqual(other.validToDate);
      expect(BigInt(`0x${Buffer.from(certificate.serial).toString('hex')}`)).toBe(
        BigInt(`0x${other.serialNumber}`),
      );
      expect(describeName(certificate.subject)).toBe(other.subject.split('\n').join(', '));
      expect(certificate.basicConstraints?.ca).toBe(other.ca);
    }
  });
});
