import { describe, expect, test } from 'vitest';
import * as web from '../../attestation/browser.ts';
import { CertificateCache } from '../../attestation/certificate-cache.ts';
import * as node from '../../attestation/index.ts';
import type { VerifyOptions } from '../../attestation/index.ts';
import { resolveOptions } from '../../attestation/options.ts';
import { prepareDocument, rememberCertificates } from '../../attestation/preparation.ts';
import { flipped, malleated } from './corpus/message-vectors.ts';
import {
  basicConstraints,
  publicKeyInfo,
  SIGNS_CERTIFICATES,
  type CertificateParts,
} from './forge/certificate.ts';
import { AT, forgeChain, type ChainChanges } from './forge/chain.ts';
import { forgeDocument, type DocumentParts } from './forge/document.ts';
import * as cbor from './forge/cbor.ts';
import { forgeKey } from './forge/keys.ts';

const first = forgeDocument();
const OPTIONS: VerifyOptions = { root: first.root, at: AT, pcrs: first.pcrs };

/** Another document under the same leaf. */
const withNonce = (nonce: number) =>
  forgeDocument((parts) => (parts.fields = { nonce: cbor.bytes(Uint8Array.of(nonce)) }));
const withSerial = (serial: number) => (parts: CertificateParts) =>
  (parts.serial = Uint8Array.of(2, 1, serial));
/** The same name with another key. */
const withKey = (label: string) => (parts: CertificateParts) =>
  (parts.publicKeyInfo = publicKeyInfo(forgeKey(label).point));

/** How many signatures a document costs after the others. */
function costs(documents: readonly Uint8Array[], cache = new CertificateCache(64)): number[] {
  return documents.map((document) => {
    const prepared = prepareDocument(document, resolveOptions(OPTIONS), cache);
    rememberCertificates(prepared, cache);
    return prepared.signatures.length;
  });
}

describe('a leaf that was found good', () => {
  test('makes the next document under it cost one signature, its own', () => {
    const other = forgeDocument(undefined, { leaf: withSerial(9) });
    const documents = [first, withNonce(1), withNonce(2), other, withNonce(3)].map(
      ({ document }) => document,
    );
    expect(costs(documents)).toEqual([5, 1, 1, 2, 1]);
    expect(costs(documents, new CertificateCache(0))).toEqual([5, 5, 5, 5, 5]);
  });

  test('is another leaf with one more byte changed, its signature’s other form included', () => {
    const malleable = forgeDocument(undefined, { leaf: (parts) => (parts.alterSignature = malleated) });
    expect(costs([first.document, malleable.document, malleable.document])).toEqual([5, 2, 1]);
  });

  test('is known within the bounds of the cache, together with its authorities', () => {
    const cache = new CertificateCache(6);
    const leaves = [1, 2, 3, 4, 5, 6, 7, 8].map(
      (serial) => forgeDocument(undefined, { leaf: withSerial(serial) }).document,
    );
    expect(costs(leaves, cache)).toEqual([5, 2, 2, 2, 2, 2, 2, 2]);
    expect(cache.size).toBe(6);
    expect(costs([leaves[0] ?? new Uint8Array()], cache)).toEqual([2]);
  });

  const refusals: [
    string,
    string,
    ((parts: DocumentParts) => void) | undefined,
    ChainChanges | undefined,
    Partial<VerifyOptions>?,
  ][] = [
    [
      'vouches for no document that another key has signed',
      'COSE_SIGNATURE',
      (parts) => (parts.signer = 'stranger'),
      undefined,
    ],
    [
      'vouches for no document whose signature has a bit changed',
      'COSE_SIGNATURE',
      (parts) => (parts.alterSignature = (signature) => flipped(signature, 7)),
      undefined,
    ],
    [
      'does not stand for one with a bit of its signature changed',
      'CERTIFICATE_SIGNATURE',
      undefined,
      { leaf: (parts) => (parts.alterSignature = (signature) => flipped(signature, 7)) },
    ],
    [
      'does not stand for one that a stranger has signed',
      'CERTIFICATE_SIGNATURE',
      undefined,
      { leaf: (parts) => (parts.signer = 'stranger') },
    ],
    [
      'is not known under an issuer of the same name with another key',
      'CERTIFICATE_SIGNATURE',
      undefined,
      { instance: withKey('another instance') },
    ],
    [
      'is refused once it has expired',
      'CERTIFICATE_EXPIRED',
      undefined,
      undefined,
      { at: AT + 3 * 3_600_000 },
    ],
    [
      'is refused before it is valid',
      'CERTIFICATE_NOT_YET_VALID',
      undefined,
      undefined,
      { at: AT - 2 * 3_600_000 },
    ],
  ];

  test.each(refusals)('%s', async (_, code, change, chain, options = {}) => {
    const bad = forgeDocument(change, chain).document;
    const [ours, theirs] = [new node.AttestationVerifier(), new web.AttestationVerifier()];
    // The leaf is kept, and so is whatever the refused document left behind.
    for (let turn = 0; turn < 2; turn += 1) {
      ours.verify(withNonce(turn).document, OPTIONS);
      await theirs.verify(withNonce(turn).document, OPTIONS);
      expect(() => ours.verify(bad, { ...OPTIONS, ...options })).toThrow(expect.objectContaining({ code }));
      await expect(theirs.verify(bad, { ...OPTIONS, ...options })).rejects.toMatchObject({ code });
    }
  });

  test('is not known under another root, be the chain below it the same', () => {
    const verifier = new node.AttestationVerifier();
    verifier.verify(first.document, OPTIONS);
    const root = forgeChain({ root: withKey('another root') }).root;
    const bad = forgeDocument((parts) => (parts.root = root), { root: withKey('another root') });
    expect(() => verifier.verify(bad.document, { ...OPTIONS, root })).toThrow(
      expect.objectContaining({
        code: 'CERTIFICATE_SIGNATURE',
        details: expect.objectContaining({ index: 1 }),
      }),
    );
    expect(() => verifier.verify(first.document, { ...OPTIONS, root })).toThrow(
      expect.objectContaining({ code: 'ROOT_MISMATCH' }),
    );
  });

  test('stands in no authority’s place, nor an authority in a leaf’s', () => {
    const verifier = new node.AttestationVerifier();
    verifier.verify(first.document, OPTIONS);
    const bad = forgeDocument((parts) => {
      parts.leaf = parts.cabundle[3] ?? new Uint8Array();
      parts.cabundle = parts.cabundle.slice(0, 3);
      parts.signer = 'instance';
    });
    expect(() => verifier.verify(bad.document, OPTIONS)).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_LEAF_SIGNS' }),
    );
  });

  test('is no authority for another certificate', () => {
    const verifier = new node.AttestationVerifier();
    const free = (parts: CertificateParts) =>
      (parts.extensions = [basicConstraints(true), SIGNS_CERTIFICATES]);
    const anyDepth = { region: free, zone: free, instance: free };
    verifier.verify(forgeDocument(undefined, anyDepth).document, OPTIONS);
    const bad = forgeDocument((parts) => {
      parts.cabundle = [...parts.cabundle, parts.leaf];
      parts.leaf = forgeChain({
        leaf: (leaf) => Object.assign(leaf, { issuer: leaf.subject, signer: 'leaf' }),
      }).leaf;
    }, anyDepth);
    expect(() => verifier.verify(bad.document, OPTIONS)).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_NOT_CA', details: expect.objectContaining({ index: 4 }) }),
    );
  });

  test('is not kept of a document that is refused for its signature', () => {
    const verifier = new node.AttestationVerifier();
    const bad = forgeDocument((parts) => (parts.signer = 'stranger'), {
      leaf: (parts) => (parts.signer = 'stranger'),
    });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(() => verifier.verify(bad.document, OPTIONS)).toThrow(
        expect.objectContaining({ code: 'CERTIFICATE_SIGNATURE' }),
      );
    }
  });

  test('is a copy: a document that changes afterwards changes nothing', () => {
    const verifier = new node.AttestationVerifier();
    const document = new Uint8Array(first.document);
    verifier.verify(document, OPTIONS);
    document.fill(0);
    expect(verifier.verify(withNonce(1).document, OPTIONS).certificates.at(-1)?.notAfter).toBe(
      AT + 2 * 3_600_000,
    );
  });
});
