import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';
import { openDer } from './der.ts';
import { AttestationError } from './errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Checks of the octets of each string type of a DirectoryString, and of IA5String, by tag: RFC 5280 section 4.1.2.4. */
const STRINGS: ReadonlyMap<number, (value: Uint8Array) => boolean> = new Map([
  [0x0c, isUtf8],
  [0x13, (value) => value.every(isPrintable)],
  [0x14, () => true],
  [0x16, (value) => value.every((octet) => octet < 0x80)],
  [0x1c, (value) => value.length % 4 === 0],
  [0x1e, (value) => value.length % 2 === 0],
]);

const SHORT_NAMES: Readonly<Record<string, string>> = Object.freeze({
  '550403': 'CN',
  '550406': 'C',
  '550407': 'L',
  '550408': 'ST',
  '55040a': 'O',
  '55040b': 'OU',
});

/**
 * Reads a Name (RFC 5280 section 4.1.2.4), checks the structure of every attribute in it, and returns its bytes in DER.
 * Two names are the same when their bytes are.
 *
 * @throws AttestationError `DER_…`, `CERTIFICATE_NAME`
 */
export function readName(reader: DerReader): Uint8Array {
  const name = reader.readWhole(DER_TAG.sequence);
  visitAttributes(name, () => undefined);
  return name;
}

/**
 * Formats a Name for people to read: `CN=…, O=…`, in the order of the certificate. A byte that is not printable ASCII
 * shows as a question mark. Attributes without a short name show as their OID in hex.
 *
 * @param name a Name in DER, as `subject` and `issuer` of a certificate hold it
 * @throws AttestationError `DER_…`, `CERTIFICATE_NAME` for bytes that are no Name
 *
 * Source: RFC 5280 section 4.1.2.4.
 */
export function describeName(name: Uint8Array): string {
  const parts: string[] = [];
  visitAttributes(name, (type, value) => parts.push(`${SHORT_NAMES[type] ?? type}=${printable(value)}`));
  return parts.join(', ');
}

function visitAttributes(name: Uint8Array, visit: (type: string, value: Uint8Array) => void): void {
  const names = openDer(name).enter(DER_TAG.sequence);
  while (!names.atEnd) {
    const set = names.enter(DER_TAG.set);
    if (set.atEnd)
      throw new AttestationError('CERTIFICATE_NAME', 'a relative distinguished name is empty', {
        offset: set.offset,
      });
    let previous: Uint8Array | undefined;
    while (!set.atEnd) {
      const at = set.offset;
      const whole = set.readWhole(DER_TAG.sequence);
      if (previous !== undefined && compareBytes(previous, whole) >= 0) {
        throw set.error('DER_SET_ORDER', 'a SET OF is not in ascending order', at);
      }
      previous = whole;
      const attribute = openDer(whole).enter(DER_TAG.sequence);
      const type = attribute.readObjectIdentifier();
      const tag = attribute.peekTag();
      const isString = tag === undefined ? undefined : STRINGS.get(tag);
      if (tag === undefined || isString === undefined) {
        throw new AttestationError('CERTIFICATE_NAME', 'the value of a name attribute is no string', {
          offset: at,
        });
      }
      const value = attribute.read(tag);
      if (!isString(value)) {
        throw new AttestationError(
          'CERTIFICATE_NAME',
          'the value of a name attribute has octets that its string type does not allow',
          {
            offset: at,
          },
        );
      }
      attribute.finish();
      visit(type, value);
    }
  }
}

/** Compares two elements of a SET OF: X.690 section 11.6, where the shorter one counts as padded with zeros. */
function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function printable(value: Uint8Array): string {
  return String.fromCharCode(...value.map((octet) => (octet >= 0x20 && octet < 0x7f ? octet : 0x3f)));
}

function isUtf8(value: Uint8Array): boolean {
  // Nearly all names are ASCII, and a TextDecoder costs more than reading the rest of the name.
  if (value.every((octet) => octet < 0x80)) return true;
  try {
    utf8.decode(value);
    return true;
  } catch {
    return false;
  }
}

/** Whether an octet is one of PrintableString: X.680 section 41.4. */
function isPrintable(octet: number): boolean {
  return /[A-Za-z0-9 '()+,\-./:=?]/.test(String.fromCharCode(octet));
}
