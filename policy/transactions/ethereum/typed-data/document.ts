import { utf8ToBytes } from '@noble/hashes/utils.js';
import { JsonError, type JsonValue, parseJson } from '../../../../shared/json/index.ts';
import { TransactionError } from '../../errors.ts';
import { malformed, tooLarge } from './errors.ts';
import {
  asObject,
  asRecord,
  DOMAIN_TYPE,
  encodeType,
  listDependencies,
  parseTypes,
  type StructTypes,
} from './types.ts';
import { type TypedValue, ValueReader } from './values.ts';

/** The longest document, in bytes of UTF-8. */
export const MAX_TYPED_DATA_BYTES = 16 * 1024;
/** The deepest nesting of a document: itself, the message, and what it contains. */
export const MAX_TYPED_DATA_DEPTH = 16;

/** Fields that a domain can have, in the order in which its type lists them (EIP-712, "Definition of domainSeparator"). */
const DOMAIN_FIELDS = new Map([
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
  ['salt', 'bytes32'],
]);

/** A typed-data document that has one reading. */
export interface TypedDocument {
  readonly primaryType: string;
  /** The primary type written out with all that it consists of: by it, and nothing less, a permit is known. */
  readonly typeText: string;
  readonly domain: TypedValue;
  readonly message: TypedValue;
}

/**
 * Parses a document of eth_signTypedData_v4. Takes those alone on which implementations cannot differ: exactly the keys
 * `types`, `primaryType`, `domain` and `message`; a declared domain type that has exactly the domain's fields; no type that
 * nothing uses; every declared field and none else; one notation for each value.
 *
 * @throws TransactionError
 */
export function parseTypedData(text: string): TypedDocument {
  const document = asRecord(parseText(text), ['types', 'primaryType', 'domain', 'message'], 'document');
  const types = parseTypes(document['types'] ?? null);
  const { primaryType } = document;
  if (typeof primaryType !== 'string' || primaryType === DOMAIN_TYPE || !types.has(primaryType)) {
    throw malformed('primaryType', 'a declared type that is not the domain');
  }
  assertAllUsed(types, primaryType);
  assertDomainType(types, document['domain']);
  const reader = new ValueReader(types);
  return {
    primaryType,
    typeText: encodeType(types, primaryType),
    domain: reader.readStruct(DOMAIN_TYPE, document['domain'], 'domain'),
    message: reader.readStruct(primaryType, document['message'], 'message'),
  };
}

function parseText(text: string): JsonValue {
  // A string is never shorter in UTF-8 than in UTF-16 units: none that is too long is encoded to find that out.
  if (text.length > MAX_TYPED_DATA_BYTES || utf8ToBytes(text).length > MAX_TYPED_DATA_BYTES) {
    throw tooLarge('document', MAX_TYPED_DATA_BYTES);
  }
  try {
    return parseJson(text, { maxBytes: MAX_TYPED_DATA_BYTES, maxDepth: MAX_TYPED_DATA_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const code = error.code === 'JSON_TOO_DEEP' ? 'TRANSACTION_TOO_LARGE' : 'TRANSACTION_MALFORMED';
    throw new TransactionError(code, `the document: ${error.message}`, { json: error.code }, error);
  }
}

function assertAllUsed(types: StructTypes, primaryType: string): void {
  const used = new Set([DOMAIN_TYPE, ...listDependencies(types, primaryType)]);
  for (const name of types.keys())
    if (!used.has(name)) throw malformed(`types.${name}`, 'a type that is used');
}

function assertDomainType(types: StructTypes, domain: JsonValue | undefined): void {
  const declared = types.get(DOMAIN_TYPE);
  if (declared === undefined) throw malformed('types', `a declaration of ${DOMAIN_TYPE}`);
  const keys = Object.keys(asObject(domain, 'domain'));
  const expected = [...DOMAIN_FIELDS].filter(([name]) => keys.includes(name));
  // A declared field that the domain lacks is found when the domain is read.
  const isAsExpected = expected.every(
    ([name, type], index) => declared[index]?.name === name && declared[index].text === type,
  );
  if (expected.length !== keys.length || !isAsExpected) {
    throw malformed(`types.${DOMAIN_TYPE}`, "exactly the domain's fields, in the order of EIP-712");
  }
}
