import { equalBytes } from './bytes.ts';
import type { Certificate } from './certificate.ts';
import { AttestationError, type AttestationErrorCode, type AttestationErrorDetails } from './errors.ts';

/** A certificate and where in the document it came from. */
export interface ChainLink {
  readonly certificate: Certificate;
  readonly place: Pick<AttestationErrorDetails, 'field' | 'index'>;
}

/**
 * Checks that each certificate may stand where it stands, from the root down to the leaf: RFC 5280 section 6.1, with no
 * extension of it left to choice. Signatures are not checked here.
 *
 * A certificate is valid from notBefore to notAfter, both included, to the millisecond.
 *
 * @param at milliseconds since 1970
 * @throws AttestationError `CERTIFICATE_…`, with the place of the certificate
 */
export function assertChain(authorities: readonly ChainLink[], leaf: ChainLink, at: number): void {
  authorities.forEach((link, index) => {
    // What is below it, the leaf not counted: RFC 5280 section 4.2.1.9.
    assertAuthority(link, authorities.length - 1 - index);
  });
  assertLeaf(leaf);
  let issuer: ChainLink | undefined;
  for (const link of [...authorities, leaf]) {
    if (issuer !== undefined && !equalBytes(link.certificate.issuer, issuer.certificate.subject)) {
      throw refusal('CERTIFICATE_ISSUER', link, 'was not issued in the name of the certificate before it');
    }
    issuer = link;
  }
  for (const link of [...authorities, leaf]) assertValidAt(link, at);
}

function assertAuthority(link: ChainLink, authoritiesBelow: number): void {
  const { basicConstraints, keyUsage, subject } = link.certificate;
  if (basicConstraints?.ca !== true) throw refusal('CERTIFICATE_NOT_CA', link, 'is no certificate authority');
  if (!basicConstraints.critical) {
    throw refusal('CERTIFICATE_BASIC_CONSTRAINTS', link, 'has basic constraints that are not critical');
  }
  if (keyUsage?.keyCertSign !== true)
    throw refusal('CERTIFICATE_KEY_USAGE', link, 'may not sign certificates');
  const { pathLength } = basicConstraints;
  if (pathLength !== undefined && pathLength < authoritiesBelow) {
    throw refusal('CERTIFICATE_PATH_LENGTH', link, 'may not have so many authorities below it', {
      expected: pathLength,
      actual: authoritiesBelow,
    });
  }
  // An empty SEQUENCE.
  if (subject.length === 2) throw refusal('CERTIFICATE_NAME', link, 'is an authority without a name');
}

function assertLeaf(link: ChainLink): void {
  const { basicConstraints, keyUsage } = link.certificate;
  if (basicConstraints?.ca === true)
    throw refusal('CERTIFICATE_LEAF_SIGNS', link, 'is a certificate authority');
  if (keyUsage?.keyCertSign === true) throw refusal('CERTIFICATE_LEAF_SIGNS', link, 'may sign certificates');
  if (keyUsage?.digitalSignature !== true)
    throw refusal('CERTIFICATE_KEY_USAGE', link, 'may not sign documents');
}

function assertValidAt(link: ChainLink, at: number): void {
  const { notBefore, notAfter } = link.certificate;
  if (at < notBefore) {
    const details = { expected: isoTime(notBefore), actual: isoTime(at) };
    throw refusal('CERTIFICATE_NOT_YET_VALID', link, `is valid only from ${details.expected}`, details);
  }
  if (at > notAfter) {
    const details = { expected: isoTime(notAfter), actual: isoTime(at) };
    throw refusal('CERTIFICATE_EXPIRED', link, `was valid only until ${details.expected}`, details);
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
