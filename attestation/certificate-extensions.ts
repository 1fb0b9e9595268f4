import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';
import { AttestationError } from './errors.ts';

/** The extensions that path validation needs (RFC 5280 section 4.2.1); undefined where the certificate has none. */
export interface CertificateExtensions {
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: KeyUsage | undefined;
}

/** BasicConstraints: RFC 5280 section 4.2.1.9. */
export interface BasicConstraints {
  readonly critical: boolean;
  readonly ca: boolean;
  /** The most authorities that may follow below this one, the leaf not counted. */
  readonly pathLength: number | undefined;
}

/** The two bits of KeyUsage that matter here: RFC 5280 section 4.2.1.3. */
export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
}

const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';

/**
 * Reads Extensions: BasicConstraints and KeyUsage. Any other extension is skipped unless it is critical, which is refused,
 * as RFC 5280 section 4.2 demands; no extension may occur twice.
 *
 * @throws AttestationError `DER_…`, `CERTIFICATE_CRITICAL_EXTENSION`, `CERTIFICATE_DUPLICATE_EXTENSION`,
 * `CERTIFICATE_BASIC_CONSTRAINTS`, `CERTIFICATE_KEY_USAGE`
 */
export function readExtensions(reader: DerReader): CertificateExtensions {
  const seen = new Set<string>();
  let basicConstraints: BasicConstraints | undefined;
  let keyUsage: KeyUsage | undefined;
  const list = reader.enter(DER_TAG.sequence);
  if (list.atEnd) throw list.error('DER_TRUNCATED', 'the list of extensions is empty: expected at least one');
  while (!list.atEnd) {
    const at = list.offset;
    const extension = list.enter(DER_TAG.sequence);
    const id = extension.readObjectIdentifier();
    const critical = extension.peekTag() === DER_TAG.boolean && extension.readTrue();
    const value = extension.enter(DER_TAG.octetString);
    extension.finish();
    if (seen.has(id)) {
      throw new AttestationError('CERTIFICATE_DUPLICATE_EXTENSION', `the extension ${id} occurs twice`, {
        offset: at,
      });
    }
    seen.add(id);
    if (id === BASIC_CONSTRAINTS) basicConstraints = { critical, ...readBasicConstraints(value) };
    else if (id === KEY_USAGE) keyUsage = readKeyUsage(value);
    else if (critical) {
      throw new AttestationError(
        'CERTIFICATE_CRITICAL_EXTENSION',
        `the extension ${id} is critical: expected no critical extension but basicConstraints and keyUsage`,
        {
          actual: id,
          offset: at,
        },
      );
    }
  }
  reader.finish();
  return { basicConstraints, keyUsage };
}

function readBasicConstraints(value: DerReader): Omit<BasicConstraints, 'critical'> {
  const sequence = value.enter(DER_TAG.sequence);
  value.finish();
  const ca = sequence.peekTag() === DER_TAG.boolean && sequence.readTrue();
  const pathLength = sequence.atEnd ? undefined : readPathLength(sequence);
  sequence.finish();
  if (!ca && pathLength !== undefined) {
    throw new AttestationError(
      'CERTIFICATE_BASIC_CONSTRAINTS',
      'basicConstraints has a pathLenConstraint and cA is false',
    );
  }
  return { ca, pathLength };
}

/** Reads pathLenConstraint, 0 to 127. No PKI has longer paths: a larger integer is meant to overflow a counter. */
function readPathLength(sequence: DerReader): number {
  const { offset } = sequence;
  const [first = 0, ...rest] = sequence.readInteger();
  if (first > 0x7f || rest.length > 0) {
    throw new AttestationError('CERTIFICATE_BASIC_CONSTRAINTS', 'pathLenConstraint is not one of 0 to 127', {
      offset,
    });
  }
  return first;
}

/** Reads KeyUsage: a BIT STRING of named bits, not empty and without trailing zero bits (X.690 section 11.2.2). */
function readKeyUsage(value: DerReader): KeyUsage {
  const at = value.offset;
  const { unusedBits, octets } = value.readBitString();
  value.finish();
  const last = octets.at(-1);
  if (last === undefined)
    throw new AttestationError('CERTIFICATE_KEY_USAGE', 'keyUsage has no bits: expected at least one');
  if ((last & (1 << unusedBits)) === 0)
    throw value.error('DER_BIT_STRING', 'keyUsage ends with a zero bit: expected the last bit to be set', at);
  const [first = 0] = octets;
  return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0 };
}
