import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';
import { openDer } from './der.ts';
import { AttestationError } from './errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The string types of a DirectoryString, and IA5String, by tag: what each can hold (RFC 5280 section 4.1.2.4). */
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
 * Reads a Name (RFC 5280 section 4.1.2.4), checks its structure to the bottom, and gives its bytes: two names are the
 * same when their bytes are.
 *
 * @throws AttestationError `DER_…`, `CERTIFICATE_NAME`
 */
export function readName(reader: DerReader): Uint8Array {
  const name = reader.readWhole(DER_TAG.sequence);
  visitAttributes(name, () => undefined);
  return name;
}

/** A name for people to read, `CN=…, O=…`; what is not printable ASCII shows as a question mark. */
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
      throw new AttestationError('CERTIFICATE_NAME', 'a name with an empty part', { offset: set.offset });
    let previous: Uint8Array | undefined;
    while (!set.atEnd) {
      const at = set.offset;
      const whole = set.readWhole(DER_TAG.sequence);
      if (previous !== undefined && compareBytes(previous, whole) >= 0) {
        throw set.error('DER_SET_ORDER', 'a set out of order', at);
      }
      previous = whole;
      const attribute = openDer(whole).enter(DER_TAG.sequence);
      const type = attribute.readObjectIdentifier();
      const tag = attribute.peekTag();
      const isString = tag === undefined ? undefined : STRINGS.get(tag);
      if (tag === undefined || isString === undefined) {
        throw new AttestationError('CERTIFICATE_NAME', 'a name with a part that is no string', {
          offset: at,
        });
      }
      const value = attribute.read(tag);
      if (!isString(value)) {
        throw new AttestationError(
          'CERTIFICATE_NAME',
          'a name with octets that its type of string does not have',
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

/** The order of a SET OF: X.690 section 11.6, where the shorter one counts as padded with zeros. */
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
  // Nearly all names are ASCII, and a decoder costs more than the rest of the name.
  if (value.every((octet) => octet < 0x80)) return true;
  try {
    utf8.decode(value);
    return true;
  } catch {
    return false;
  }
}

/** X.680 section 41.4. */
function isPrintable(octet: number): boolean {
  return /[A-Za-z0-9 '()+,\-./:=?]/.test(String.fromCharCode(octet));
}
