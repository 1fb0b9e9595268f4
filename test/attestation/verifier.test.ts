import { describe, expect, test } from 'vitest';
import * as node from '../../attestation/index.ts';
import * as web from '../../attestation/browser.ts';
import type { VerifyOptions } from '../../attestation/index.ts';
import { CertificateCache } from '../../attestation/certificate-cache.ts';
import { parseCertificate } from '../../attestation/certificate.ts';
import { prepareDocument } from '../../attestation/preparation.ts';
import { resolveOptions } from '../../attestation/options.ts';
import { flipped, malleated } from './corpus/message-vectors.ts';
import { AT, forgeChain } from './forge/chain.ts';
import { forgeDocument } from './forge/document.ts';
import { refusalOf } from './refusal.ts';

const forged = forgeDocument();
const OPTIONS: VerifyOptions = { root: forged.root, at: AT, pcrs: forged.pcrs };

describe('verifyAttestationDocument', () => {
  test('gives a result that nobody can change, whatever becomes of the document', () => {
    const document = new Uint8Array(forged.document);
    const verified = node.verifyAttestationDocument(document, OPTIONS);
    const before = structuredClone(verified.pcrs);
    document.fill(0);
    expect(verified.pcrs).toEqual(before);
    expect(Object.isFrozen(verified)).toBe(true);
  });

  test('binds all three fields at once', () => {
    const { code, details } = refusalOf(() =>
      node.verifyAttestationDocument(forged.document, { ...OPTIONS, publicKey: Uint8Array.of(1) }),
    );
    expect(code).toBe('PUBLIC_KEY_MISMATCH');
    expect(details).toMatchObject({ field: 'public_key', expected: '01', actual: null });
  });

  test('takes the one set of PCRs that matches as a whole, and says which', () => {
    const [old, other] = [new Map(forged.pcrs), new Map(forged.pcrs)];
    old.set(0, new Uint8Array(48).fill(1));
    other.set(1, new Uint8Array(48).fill(2));
    const pcrs = [old, other, forged.pcrs];
    expect(node.verifyAttestationDocument(forged.document, { ...OPTIONS, pcrs }).matched).toBe(2);
    // Each PCR alone would be found in one set or the other.
    const mixed = refusalOf(() =>
      node.verifyAttestationDocument(forged.document, { ...OPTIONS, pcrs: [old, other] }),
    );
    expect(mixed).toMatchObject({ code: 'PCR_MISMATCH', details: { index: 0 } });
  });

  test('tells when the first certificate expires', () => {
    const { validUntil, verifiedAt, certificates } = node.verifyAttestationDocument(forged.document, OPTIONS);
    expect(verifiedAt).toBe(AT);
    expect(validUntil).toBe(certificates.at(-1)?.notAfter);
  });

  test.each<[string, Partial<VerifyOptions>]>([
    ['no PCRs', { pcrs: new Map() }],
    ['no set of PCRs', { pcrs: [] }],
    ['an empty set among others', { pcrs: [forged.pcrs, new Map()] }],
    ['PCR32', { pcrs: new Map([[32, new Uint8Array(48)]]) }],
    ['a short PCR', { pcrs: new Map([[0, new Uint8Array(32)]]) }],
    ['a time that is none', { at: Number.NaN }],
    ['a time before 1970', { at: -1 }],
    ['an age at its own time', { at: 'document', maxAgeMs: 1 }],
    ['a negative age', { maxAgeMs: -1 }],
    ['an endless clock skew', { maxClockSkewMs: Infinity }],
  ])('throws at its caller for %s', (_about, options) => {
    expect(() => node.verifyAttestationDocument(forged.document, { ...OPTIONS, ...options })).toThrow(
      /PCR|time|maxAge|maxClock|age/,
    );
    expect(refusedAsMisuse({ ...OPTIONS, ...options })).toBe(true);
  });

  test('over WebCrypto says the same', async () => {
    const [ours, theirs] = [
      node.verifyAttestationDocument(forged.document, OPTIONS),
      await web.verifyAttestationDocument(forged.document, OPTIONS),
    ];
    expect({ ...theirs }).toEqual({ ...ours });
    const changed = flipped(forged.document, forged.document.length - 1);
    await expect(web.verifyAttestationDocument(changed, OPTIONS)).rejects.toMatchObject({
      code: 'COSE_SIGNATURE',
    });
  });
});

function refusedAsMisuse(options: VerifyOptions): boolean {
  try {
    node.verifyAttestationDocument(forged.document, options);
  } catch (error) {
    return error instanceof TypeError || error instanceof RangeError;
  }
  return false;
}

describe('AttestationVerifier', () => {
  /** How many signatures a document still costs. */
  function cost(document: Uint8Array, cache: CertificateCache): number {
    return prepareDocument(document, resolveOptions(OPTIONS), cache).signatures.length;
  }

  test('checks five signatures the first time, two once the authorities are kept', () => {
    const cache = new CertificateCache(8);
    expect(cost(forged.document, cache)).toBe(5);
    const chain = forgeChain();
    const authorities = [chain.root, chain.region, chain.zone, chain.instance].map(parseCertificate);
    authorities.forEach((certificate, index) => {
      cache.remember({ certificate, issuerKey: (authorities[index - 1] ?? certificate).publicKey });
    });
    expect(cost(forged.document, cache)).toBe(2);
  });

  test('never spares the checks that depend on time or place', () => {
    const verifier = new node.AttestationVerifier();
    verifier.verify(forged.document, OPTIONS);
    const late = refusalOf(() => verifier.verify(forged.document, { ...OPTIONS, at: AT + 1e9 }));
    expect(late.code).toBe('CERTIFICATE_EXPIRED');
    const root = forgeChain({ root: (parts) => (parts.serial = Uint8Array.of(2, 1, 9)) }).root;
    expect(refusalOf(() => verifier.verify(forged.document, { ...OPTIONS, root })).code).toBe(
      'ROOT_MISMATCH',
    );
  });

  test('takes the same certificate with its other signature for another certificate', () => {
    const verifier = new node.AttestationVerifier();
    verifier.verify(forged.document, OPTIONS);
    const other = forgeDocument(undefined, { zone: (parts) => (parts.alterSignature = malleated) });
    expect(verifier.verify(other.document, OPTIONS).moduleId).toBe(
      node.verifyAttestationDocument(forged.document, OPTIONS).moduleId,
    );
    const bad = forgeDocument(undefined, {
      zone: (parts) => (parts.alterSignature = (signature) => flipped(signature, 3)),
    });
    expect(refusalOf(() => verifier.verify(bad.document, OPTIONS)).code).toBe('CERTIFICATE_SIGNATURE');
  });

  test('keeps nothing of a document that it refuses for a signature', () => {
    const verifier = new node.AttestationVerifier();
    const bad = forgeDocument((parts) => (parts.alterSignature = (signature) => flipped(signature, 3)));
    expect(refusalOf(() => verifier.verify(bad.document, OPTIONS)).code).toBe('COSE_SIGNATURE');
    // Were the zone kept under its own name alone, one signed by nobody would pass now.
    const forgedZone = forgeDocument(undefined, { zone: (parts) => (parts.signer = 'stranger') });
    expect(refusalOf(() => verifier.verify(forgedZone.document, OPTIONS)).code).toBe('CERTIFICATE_SIGNATURE');
  });

  test('keeps no more certificates than it is told, and the ones last used', () => {
    const cache = new CertificateCache(2);
    const { root, region, zone } = forgeChain();
    const [first, second, third] = [root, region, zone].map(parseCertificate);
    if (first === undefined || second === undefined || third === undefined)
      throw new TypeError('three certificates');
    cache.remember({ certificate: first, issuerKey: first.publicKey });
    cache.remember({ certificate: second, issuerKey: first.publicKey });
    expect(cache.find(root)?.certificate).toBe(first);
    cache.remember({ certificate: third, issuerKey: second.publicKey });
    expect(cache.size).toBe(2);
    expect(cache.find(region)).toBeUndefined();
    expect(cache.find(root)?.certificate).toBe(first);
    expect(cache.find(zone)?.issuerKey).toBe(second.publicKey);
    expect(() => new CertificateCache(-1)).toThrow(RangeError);
  });

  test('finds a certificate by all of its bytes, not by how it ends', () => {
    const cache = new CertificateCache(2);
    const { zone } = forgeChain();
    const certificate = parseCertificate(zone);
    cache.remember({ certificate, issuerKey: certificate.publicKey });
    expect(cache.find(flipped(zone, 20))).toBeUndefined();
    expect(cache.find(new Uint8Array(zone))?.certificate).toBe(certificate);
  });
});
