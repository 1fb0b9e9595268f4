import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as cbor from '../forge/cbor.ts';
import {
  basicConstraints,
  extension,
  name,
  publicKeyInfo,
  SIGNS_CERTIFICATES,
  SIGNS_DOCUMENTS,
  type CertificateParts,
} from '../forge/certificate.ts';
import { AT, forgeChain, ROLES, type Role } from '../forge/chain.ts';
import { bitString, sequence, time } from '../forge/der.ts';
import type { DocumentParts } from '../forge/document.ts';
import { forgeKey } from '../forge/keys.ts';
import { flipped } from './message-vectors.ts';
import { accept, refuse, type Difference, type Place, type VectorSource } from './vector.ts';

const DAY = 86_400_000;

function placeOf(role: Role): Place {
  return role === 'leaf' ? { field: 'certificate' } : { field: 'cabundle', index: ROLES.indexOf(role) };
}

/** A vector one of whose certificates does not fit where it stands. */
function misfit(
  label: string,
  rule: string,
  about: string,
  code: string,
  role: Role,
  change: (parts: CertificateParts) => void,
): VectorSource {
  return refuse(`chain/${label}`, rule, about, code, placeOf(role), { chain: { [role]: change } });
}

const withExtensions =
  (...extensions: Uint8Array[]) =>
  (parts: CertificateParts): void => {
    parts.extensions = extensions;
  };

function bundle(change: (cabundle: Uint8Array[]) => Uint8Array[]) {
  return (parts: DocumentParts): void => {
    parts.cabundle = change(parts.cabundle);
  };
}

/** Takes away everything between two roles: the upper one signs for the lower one. */
function shortcut(upper: Role, lower: Role): Difference {
  const gone = ROLES.slice(ROLES.indexOf(upper) + 1, ROLES.indexOf(lower));
  return {
    chain: {
      [lower]: (parts: CertificateParts) => {
        parts.issuer = name(upper);
        parts.signer = upper;
      },
    },
    document: bundle((cabundle) => cabundle.filter((_, index) => !gone.includes(ROLES[index] ?? 'leaf'))),
  };
}

function expired(role: Role): VectorSource {
  return misfit(
    `${role}-expired`,
    'expired-ancestor',
    `the ${role} certificate expired a second ago`,
    'CERTIFICATE_EXPIRED',
    role,
    (parts) => {
      parts.notAfter = time(AT - 1000);
    },
  );
}

function notYet(role: Role): VectorSource {
  return misfit(
    `${role}-not-yet-valid`,
    'expired-ancestor',
    `the ${role} certificate is valid in a second`,
    'CERTIFICATE_NOT_YET_VALID',
    role,
    (parts) => {
      parts.notBefore = time(AT + 1000);
    },
  );
}

function badSignature(role: Role): VectorSource {
  const about = `the ${role} certificate is not signed by the one above it`;
  return misfit(`${role}-signature`, 'RFC 5280 6.1.3', about, 'CERTIFICATE_SIGNATURE', role, (parts) => {
    parts.alterSignature = (signature) => flipped(signature, 47);
  });
}

function notAuthority(role: Role): VectorSource[] {
  return [
    misfit(
      `${role}-not-ca`,
      'certificate-authority-rules',
      `the ${role} certificate is no authority`,
      'CERTIFICATE_NOT_CA',
      role,
      withExtensions(basicConstraints(false), SIGNS_CERTIFICATES),
    ),
    misfit(
      `${role}-no-basic-constraints`,
      'certificate-authority-rules',
      `the ${role} certificate says nothing of being an authority`,
      'CERTIFICATE_NOT_CA',
      role,
      withExtensions(SIGNS_CERTIFICATES),
    ),
    misfit(
      `${role}-may-not-sign`,
      'certificate-authority-rules',
      `the ${role} certificate may sign, but no certificates`,
      'CERTIFICATE_KEY_USAGE',
      role,
      withExtensions(basicConstraints(true, 3), extension('551d0f', true, bitString(7, Uint8Array.of(0x80)))),
    ),
  ];
}

/** A document of this time, with every certificate valid around it but the leaf's edge. */
const signedAt =
  (at: number) =>
  (parts: DocumentParts): void => {
    parts.fields.timestamp = cbor.integer(at);
  };

const NOT_BEFORE = AT - 3_600_000;
const NOT_AFTER = AT + 2 * 3_600_000;

/** How certificates stand together, and when. */
export const chainVectors: VectorSource[] = [
  accept(
    'chain/root-and-leaf',
    'certificate-authority-rules',
    'a root that signs the leaf itself',
    shortcut('root', 'leaf'),
  ),
  accept(
    'chain/without-zone',
    'certificate-authority-rules',
    'a chain that is one shorter',
    shortcut('region', 'instance'),
  ),
  accept(
    'chain/root-path-length-3',
    'certificate-authority-rules',
    'a root that allows just as many authorities as there are',
    {
      chain: { root: withExtensions(basicConstraints(true, 3), SIGNS_CERTIFICATES) },
    },
  ),
  accept('chain/at-not-before', 'validity-edges', 'the very moment at which the leaf becomes valid', {
    at: NOT_BEFORE,
    document: signedAt(NOT_BEFORE),
  }),
  accept('chain/at-not-after', 'validity-edges', 'the very moment at which the leaf expires', {
    at: NOT_AFTER,
    document: signedAt(NOT_AFTER),
  }),
  accept('chain/at-document', 'validity-edges', 'a document at its own time', { at: 'document' }),
  refuse(
    'chain/before-not-before',
    'validity-edges',
    'a millisecond before the leaf is valid',
    'CERTIFICATE_NOT_YET_VALID',
    { field: 'certificate' },
    {
      at: NOT_BEFORE - 1,
      document: signedAt(NOT_BEFORE - 1),
    },
  ),
  refuse(
    'chain/after-not-after',
    'validity-edges',
    'a millisecond after the leaf expired',
    'CERTIFICATE_EXPIRED',
    { field: 'certificate' },
    {
      at: NOT_AFTER + 1,
      document: signedAt(NOT_AFTER + 1),
    },
  ),
  refuse(
    'chain/at-document-expired',
    'expired-ancestor',
    'a document of a time at which its leaf had expired',
    'CERTIFICATE_EXPIRED',
    { field: 'certificate' },
    {
      at: 'document',
      document: signedAt(AT + DAY / 4),
    },
  ),

  ...ROLES.map(expired),
  ...ROLES.map(notYet),
  ...ROLES.slice(1).map(badSignature),
  ...ROLES.slice(0, -1).flatMap(notAuthority),

  misfit(
    'no-key-usage',
    'certificate-authority-rules',
    'an authority without a key usage',
    'CERTIFICATE_KEY_USAGE',
    'zone',
    withExtensions(basicConstraints(true, 1)),
  ),
  misfit(
    'basic-constraints-not-critical',
    'certificate-authority-rules',
    'an authority whose basic constraints are not critical',
    'CERTIFICATE_BASIC_CONSTRAINTS',
    'zone',
    withExtensions(basicConstraints(true, 1, false), SIGNS_CERTIFICATES),
  ),
  misfit(
    'root-path-length',
    'certificate-authority-rules',
    'a root that allows two authorities where there are three',
    'CERTIFICATE_PATH_LENGTH',
    'root',
    withExtensions(basicConstraints(true, 2), SIGNS_CERTIFICATES),
  ),
  misfit(
    'region-path-length',
    'certificate-authority-rules',
    'a region that allows one authority where there are two',
    'CERTIFICATE_PATH_LENGTH',
    'region',
    withExtensions(basicConstraints(true, 1), SIGNS_CERTIFICATES),
  ),
  misfit(
    'zone-path-length',
    'certificate-authority-rules',
    'a zone that allows no authority where there is one',
    'CERTIFICATE_PATH_LENGTH',
    'zone',
    withExtensions(basicConstraints(true, 0), SIGNS_CERTIFICATES),
  ),
  misfit(
    'leaf-ca',
    'certificate-authority-rules',
    'a leaf that is an authority',
    'CERTIFICATE_LEAF_SIGNS',
    'leaf',
    withExtensions(basicConstraints(true), SIGNS_DOCUMENTS),
  ),
  misfit(
    'leaf-may-sign-certificates',
    'certificate-authority-rules',
    'a leaf that may sign certificates',
    'CERTIFICATE_LEAF_SIGNS',
    'leaf',
    withExtensions(basicConstraints(false), extension('551d0f', true, bitString(2, Uint8Array.of(0x84)))),
  ),
  misfit(
    'leaf-may-not-sign',
    'certificate-authority-rules',
    'a leaf that may only agree on keys',
    'CERTIFICATE_KEY_USAGE',
    'leaf',
    withExtensions(basicConstraints(false), extension('551d0f', true, bitString(3, Uint8Array.of(0x08)))),
  ),
  misfit(
    'leaf-no-key-usage',
    'certificate-authority-rules',
    'a leaf without a key usage',
    'CERTIFICATE_KEY_USAGE',
    'leaf',
    withExtensions(basicConstraints(false)),
  ),
  misfit(
    'leaf-no-extensions',
    'certificate-authority-rules',
    'a leaf without extensions',
    'CERTIFICATE_KEY_USAGE',
    'leaf',
    (parts) => {
      parts.extensionsField = new Uint8Array();
    },
  ),
  misfit(
    'leaf-issuer',
    'RFC 5280 6.1.3',
    'a leaf in the name of another authority',
    'CERTIFICATE_ISSUER',
    'leaf',
    (parts) => {
      parts.issuer = name('zone');
    },
  ),
  misfit(
    'instance-issuer',
    'RFC 5280 6.1.3',
    'an authority in the name of another',
    'CERTIFICATE_ISSUER',
    'instance',
    (parts) => {
      parts.issuer = name('instances');
    },
  ),
  misfit(
    'leaf-signed-by-zone',
    'RFC 5280 6.1.3',
    'a leaf signed by an authority further up',
    'CERTIFICATE_SIGNATURE',
    'leaf',
    (parts) => {
      parts.signer = 'zone';
    },
  ),
  misfit(
    'leaf-signed-by-itself',
    'RFC 5280 6.1.3',
    'a leaf signed with its own key',
    'CERTIFICATE_SIGNATURE',
    'leaf',
    (parts) => {
      parts.signer = 'leaf';
    },
  ),
  misfit(
    'region-signed-by-stranger',
    'RFC 5280 6.1.3',
    'a whole chain below a stranger who calls himself the root',
    'CERTIFICATE_SIGNATURE',
    'region',
    (parts) => {
      parts.signer = 'stranger';
    },
  ),
  misfit(
    'leaf-changed',
    'RFC 5280 6.1.3',
    'a leaf changed after it was signed',
    'CERTIFICATE_SIGNATURE',
    'leaf',
    (parts) => {
      parts.alter = (certificate) => {
        const at = Buffer.from(certificate).lastIndexOf(Buffer.from(utf8ToBytes('leaf')));
        return concatBytes(certificate.subarray(0, at), utf8ToBytes('life'), certificate.subarray(at + 4));
      };
    },
  ),
  refuse(
    'chain/zone-without-name',
    'RFC 5280 4.1.2.6',
    'an authority without a name',
    'CERTIFICATE_NAME',
    placeOf('zone'),
    {
      chain: {
        zone: (parts) => {
          parts.subject = sequence();
        },
        instance: (parts) => {
          parts.issuer = sequence();
        },
      },
    },
  ),

  refuse(
    'chain/root-last',
    'bundle-order',
    'the cabundle in the order of TLS, the root last',
    'ROOT_MISMATCH',
    { field: 'cabundle', index: 0 },
    {
      document: bundle((cabundle) => cabundle.toReversed()),
    },
  ),
  refuse(
    'chain/root-missing',
    'bundle-order',
    'a cabundle without its root',
    'ROOT_MISMATCH',
    { field: 'cabundle', index: 0 },
    {
      document: bundle((cabundle) => cabundle.slice(1)),
    },
  ),
  refuse(
    'chain/root-of-a-stranger',
    'bundle-order',
    'a chain that is right in everything, under a root of the same name',
    'ROOT_MISMATCH',
    { field: 'cabundle', index: 0 },
    {
      document: (parts) => {
        parts.root = forgeChain({
          root: (other) => {
            other.signer = 'stranger';
            other.publicKeyInfo = publicKeyInfo(forgeKey('stranger').point);
          },
        }).root;
      },
    },
  ),
  refuse(
    'chain/root-signed-anew',
    'bundle-order',
    'the same root with another signature',
    'ROOT_MISMATCH',
    { field: 'cabundle', index: 0 },
    {
      document: (parts) => {
        parts.root = forgeChain({
          root: (other) => {
            other.alterSignature = (signature) => flipped(signature, 95);
          },
        }).root;
      },
    },
  ),
  refuse(
    'chain/root-twice',
    'bundle-order',
    'the root once more at the end',
    'CERTIFICATE_PATH_LENGTH',
    placeOf('region'),
    {
      document: bundle((cabundle) => [...cabundle, ...cabundle.slice(0, 1)]),
    },
  ),
  refuse(
    'chain/order',
    'bundle-order',
    'region and zone in the wrong order',
    'CERTIFICATE_PATH_LENGTH',
    placeOf('region'),
    {
      document: bundle(([root, region, zone, instance]) =>
        [root, zone, region, instance].filter((certificate) => certificate !== undefined),
      ),
    },
  ),
  refuse(
    'chain/gap',
    'bundle-order',
    'a chain with a link missing',
    'CERTIFICATE_ISSUER',
    { field: 'cabundle', index: 2 },
    {
      document: bundle((cabundle) => cabundle.filter((_, index) => index !== 2)),
    },
  ),
  refuse(
    'chain/without-instance',
    'bundle-order',
    'a chain whose last link is missing',
    'CERTIFICATE_ISSUER',
    { field: 'certificate' },
    {
      document: bundle((cabundle) => cabundle.slice(0, 3)),
    },
  ),
];
