import { DerReader } from '../shared/asn1/der-reader.ts';
import { AttestationError } from './errors.ts';

/** Opens a reader of strict DER, whose methods throw AttestationError with a `DER_…` code and `details.offset`. */
export function openDer(bytes: Uint8Array): DerReader {
  return new DerReader(bytes, (code, message, offset) => new AttestationError(code, message, { offset }));
}
