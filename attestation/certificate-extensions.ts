import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';
import { AttestationError } from './errors.ts';

/** What the extensions of a certificate say: RFC 5280 section 4.2.1. */
export interface CertificateExtensions {
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: KeyUsage | undefined;
}

export interface BasicConstraints {
  readonly critical: boolean;
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
}

const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';

/**
 * Reads Extensions. Two are understood; any other that is marked critical is refused, and none may come twice.
 *
 * @throws AttestationError `DER_…`, `CERTIFICATE_CRITICAL_EXTENSION`, `CERTIFICATE_DUPLICATE_EXTENSION`,
 * `CERTIFICATE_BASIC_CONSTRAINTS`, `CERTIFICATE_KEY_USAGE`
 */
export function readExtensions(reader: DerReader): CertificateExtensions {
  const seen = new Set<string>();
  let basicConstraints: BasicConstraints | undefined;
  let keyUsage: KeyUsage | undefined;
  const list = reader.enter(DER_TAG.sequence);
  if (list.atEnd) throw list.error('DER_TRUNCATED', 'an empty list of extensions');
  while (!list.atEnd) {
    const at = list.offset;
    const extension = list.enter(DER_TAG.sequence);
    const id = extension.readObjectIdentifier();
    const critical = extension.peekTag() === DER_TAG.boolean && extension.readTrue();
    const value = extension.enter(DER_TAG.octetString);
    extension.finish();
    if (seen.has(id)) {
      throw new AttestationError('CERTIFICATE_DUPLICATE_EXTENSION', 'an extension that comes twice', {
        offset: at,
      });
    }
    seen.add(id);
    if (id === BASIC_CONSTRAINTS) basicConstraints = { critical, ...readBasicConstraints(value) };
    else if (id === KEY_USAGE) keyUsage = readKeyUsage(value);
    else if (critical) {
      throw new AttestationError(
        'CERTIFICATE_CRITICAL_EXTENSION',
        'a critical extension that is not understood',
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
    throw new AttestationError('CERTIFICATE_BASIC_CONSTRAINTS', 'a path length without the right to be a CA');
  }
  return { ca, pathLength };
}

/** A path longer than 127 does not occur: a larger integer is there to overflow somebody's counter. */
function readPathLength(sequence: DerReader): number {
  const { offset } = sequence;
  const [first = 0, ...rest] = sequence.readInteger();
  if (first > 0x7f || rest.length > 0) {
    throw new AttestationError('CERTIFICATE_BASIC_CONSTRAINTS', 'a path length that is negative or absurd', {
      offset,
    });
  }
  return first;
}

/** KeyUsage is a BIT STRING of named bits, without trailing zeros (X.690 section 11.2.2), and not empty. */
function readKeyUsage(value: DerReader): KeyUsage {
  const at = value.offset;
  const { unusedBits, octets } = value.readBitString();
  value.finish();
  const last = octets.at(-1);
  if (last === undefined)
    throw new AttestationError('CERTIFICATE_KEY_USAGE', 'a key that may be used for nothing');
  if ((last & (1 << unusedBits)) === 0)
    throw value.error('DER_BIT_STRING', 'named bits with trailing zeros', at);
  const [first = 0] = octets;
  return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0 };
}
