import { decodeCbor, type CborValue } from '../shared/cbor/index.ts';
import { MAX_PAYLOAD_BYTES } from './cose-sign1.ts';
import { AttestationError } from './errors.ts';
import { locate } from './location.ts';

/** Platform whose PCRs a document carries: a Nitro Enclave, or the NitroTPM of an instance. */
export type DocumentKind = 'enclave' | 'nitrotpm';

/** The payload of an attestation document, of which only the types are checked. Byte strings are views of the document. */
export interface AttestationPayload {
  readonly kind: DocumentKind;
  /** `i-…-enc…`: the instance and the enclave on it. */
  readonly moduleId: string;
  /** Name of the PCRs' hash: `SHA384`. */
  readonly digest: string;
  /** When the hypervisor signed the document, in milliseconds since 1970. */
  readonly timestamp: number;
  /** PCR values by number; a document may leave PCRs out. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** The leaf certificate in DER. */
  readonly certificate: Uint8Array;
  /** The certificates above the leaf in DER, the root first. */
  readonly cabundle: readonly Uint8Array[];
  /** Null when the field is absent or null; an empty byte string is neither. */
  readonly publicKey: Uint8Array | null;
  /** Null when the field is absent or null. */
  readonly userData: Uint8Array | null;
  /** Null when the field is absent or null. */
  readonly nonce: Uint8Array | null;
}

const PCR_FIELDS = { enclave: 'pcrs', nitrotpm: 'nitrotpm_pcrs' } as const;

const FIELDS = new Set<unknown>(
  'module_id digest timestamp pcrs nitrotpm_pcrs certificate cabundle public_key user_data nonce'.split(' '),
);

/**
 * Parses the payload: a CBOR map of definite or indefinite length (AWS signs both) whose every field is known.
 *
 * Implements the syntax of "Verifying the root of trust" in the AWS Nitro Enclaves documentation; `assertPayload` checks
 * the lengths and ranges of that page.
 *
 * @throws AttestationError `CBOR_…`, `DOCUMENT_FIELD_…`, `DOCUMENT_KIND`, `DOCUMENT_TIMESTAMP`
 */
export function parseAttestationPayload(payload: Uint8Array): AttestationPayload {
  const map = locate({ field: 'payload' }, () =>
    decodeCbor(payload, {
      maxBytes: MAX_PAYLOAD_BYTES,
      maxDepth: 2,
      maxItems: 512,
      indefiniteMaps: 'top-level',
    }),
  );
  if (!(map instanceof Map)) throw wrongType('payload', 'a map');
  for (const key of map.keys()) {
    if (!FIELDS.has(key)) {
      throw new AttestationError(
        'DOCUMENT_FIELD_UNKNOWN',
        `unknown field ${JSON.stringify(String(key).slice(0, 64))}`,
        {
          field: 'payload',
          actual: String(key),
        },
      );
    }
  }
  const kind = readKind(map);
  return {
    kind,
    moduleId: readText(map, 'module_id'),
    digest: readText(map, 'digest'),
    timestamp: readTimestamp(map),
    pcrs: readPcrs(map, PCR_FIELDS[kind]),
    certificate: readBytes('certificate', required(map, 'certificate')),
    cabundle: readCabundle(map),
    publicKey: readOptionalBytes(map, 'public_key'),
    userData: readOptionalBytes(map, 'user_data'),
    nonce: readOptionalBytes(map, 'nonce'),
  };
}

type Fields = ReadonlyMap<unknown, CborValue>;

function readKind(map: Fields): DocumentKind {
  const enclave = map.has(PCR_FIELDS.enclave);
  const nitrotpm = map.has(PCR_FIELDS.nitrotpm);
  if (enclave && nitrotpm) {
    throw new AttestationError(
      'DOCUMENT_KIND',
      'the document has both pcrs and nitrotpm_pcrs: expected one of them',
      {
        field: 'pcrs',
      },
    );
  }
  return nitrotpm ? 'nitrotpm' : 'enclave';
}

function required(map: Fields, field: string): CborValue {
  const value = map.get(field);
  if (value === undefined) {
    throw new AttestationError('DOCUMENT_FIELD_MISSING', `the field ${field} is missing`, { field });
  }
  return value;
}

function readText(map: Fields, field: string): string {
  const value = required(map, field);
  if (typeof value !== 'string') throw wrongType(field, 'text');
  return value;
}

function readTimestamp(map: Fields): number {
  const field = 'timestamp';
  const value = required(map, field);
  if (typeof value === 'bigint') {
    throw new AttestationError(
      'DOCUMENT_TIMESTAMP',
      `timestamp is ${value}: expected milliseconds since 1970`,
      {
        field,
        actual: String(value),
      },
    );
  }
  if (typeof value !== 'number') throw wrongType(field, 'an integer');
  return value;
}

function readPcrs(map: Fields, field: string): ReadonlyMap<number, Uint8Array> {
  const value = required(map, field);
  if (!(value instanceof Map)) throw wrongType(field, 'a map');
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, content] of value) {
    if (typeof index !== 'number') {
      throw wrongType(field, 'numbered by small integers');
    }
    pcrs.set(index, readBytes(field, content, index));
  }
  return pcrs;
}

function readCabundle(map: Fields): Uint8Array[] {
  const field = 'cabundle';
  const value = required(map, field);
  if (!Array.isArray(value)) throw wrongType(field, 'an array');
  return value.map((certificate, index) => readBytes(field, certificate, index));
}

function readOptionalBytes(map: Fields, field: string): Uint8Array | null {
  const value = map.get(field);
  return value === undefined || value === null ? null : readBytes(field, value);
}

function readBytes(field: string, value: CborValue, index?: number): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw wrongType(field, 'bytes', index);
}

function wrongType(field: string, expected: string, index?: number): AttestationError {
  const details = index === undefined ? { field, expected } : { field, index, expected };
  return new AttestationError('DOCUMENT_FIELD_TYPE', `${field} is not ${expected}`, details);
}
