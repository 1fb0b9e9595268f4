import { equalBytes } from './bytes.ts';
import type { Certificate } from './certificate.ts';
import { AttestationError, type AttestationErrorCode, type AttestationErrorDetails } from './errors.ts';

/** A certificate of a chain, and the field of the document that holds it. */
export interface ChainLink {
  readonly certificate: Certificate;
  readonly place: Pick<AttestationErrorDetails, 'field' | 'index'>;
}

/**
 * Checks the place of each certificate in a chain, from the root down to the leaf: path validation of RFC 5280 section
 * 6.1, with basicConstraints and keyUsage required of every certificate. Signatures are checked elsewhere, by
 * `assertSignature`.
 *
 * A certificate is valid from notBefore to notAfter, both included, to the millisecond.
 *
 * @param authorities the cabundle: the root first, the leaf's issuer last
 * @param at the time at which all must be valid, in milliseconds since 1970
 * @throws AttestationError `CERTIFICATE_…`, with the place of the certificate
 */
export function assertChain(authorities: readonly ChainLink[], leaf: ChainLink, at: number): void {
  authorities.forEach((link, index) => {
    // pathLenConstraint counts the authorities below, the leaf not among them: RFC 5280 section 4.2.1.9.
    assertAuthority(link, authorities.length - 1 - index);
  });
  assertLeaf(leaf);
  let issuer: ChainLink | undefined;
  for (const link of [...authorities, leaf]) {
    if (issuer !== undefined && !equalBytes(link.certificate.issuer, issuer.certificate.subject)) {
      throw refusal(
        'CERTIFICATE_ISSUER',
        link,
        'names an issuer other than the subject of the certificate before it',
      );
    }
    issuer = link;
  }
  for (const link of [...authorities, leaf]) assertValidAt(link, at);
}

function assertAuthority(link: ChainLink, authoritiesBelow: number): void {
  const { basicConstraints, keyUsage, subject } = link.certificate;
  if (basicConstraints?.ca !== true)
    throw refusal('CERTIFICATE_NOT_CA', link, 'is no certificate authority: expected cA to be true');
  if (!basicConstraints.critical) {
    throw refusal('CERTIFICATE_BASIC_CONSTRAINTS', link, 'has basic constraints that are not critical');
  }
  if (keyUsage?.keyCertSign !== true)
    throw refusal(
      'CERTIFICATE_KEY_USAGE',
      link,
      'has a keyUsage without keyCertSign: expected an authority that may sign certificates',
    );
  const { pathLength } = basicConstraints;
  if (pathLength !== undefined && pathLength < authoritiesBelow) {
    throw refusal(
      'CERTIFICATE_PATH_LENGTH',
      link,
      `allows ${pathLength} authorities below it, and ${authoritiesBelow} follow`,
      {
        expected: pathLength,
        actual: authoritiesBelow,
      },
    );
  }
  // A Name of two bytes is an empty SEQUENCE.
  if (subject.length === 2)
    throw refusal('CERTIFICATE_NAME', link, 'has an empty subject: expected every authority to have a name');
}

function assertLeaf(link: ChainLink): void {
  const { basicConstraints, keyUsage } = link.certificate;
  if (basicConstraints?.ca === true)
    throw refusal('CERTIFICATE_LEAF_SIGNS', link, 'is a certificate authority: expected a leaf');
  if (keyUsage?.keyCertSign === true)
    throw refusal('CERTIFICATE_LEAF_SIGNS', link, 'has keyUsage keyCertSign: expected a leaf');
  if (keyUsage?.digitalSignature !== true)
    throw refusal(
      'CERTIFICATE_KEY_USAGE',
      link,
      'has a keyUsage without digitalSignature: expected a leaf that may sign documents',
    );
}

function assertValidAt(link: ChainLink, at: number): void {
  const { notBefore, notAfter } = link.certificate;
  if (at < notBefore) {
    const details = { expected: isoTime(notBefore), actual: isoTime(at) };
    throw refusal(
      'CERTIFICATE_NOT_YET_VALID',
      link,
      `is valid from ${details.expected}, and the time is ${details.actual}`,
      details,
    );
  }
  if (at > notAfter) {
    const details = { expected: isoTime(notAfter), actual: isoTime(at) };
    throw refusal(
      'CERTIFICATE_EXPIRED',
      link,
      `was valid until ${details.expected}, and the time is ${details.actual}`,
      details,
    );
  }
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function refusal(
  code: AttestationErrorCode,
  { place }: ChainLink,
  what: string,
  details: AttestationErrorDetails = {},
): AttestationError {
  const name = place.index === undefined ? place.field : `${place.field}[${place.index}]`;
  return new AttestationError(code, `${name} ${what}`, { ...place, ...details });
}
