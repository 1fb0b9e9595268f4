import type { JsonObject, JsonValue } from '../../../../shared/json/index.ts';
import { TransactionError } from '../../errors.ts';
import { malformed, tooLarge } from './errors.ts';

/** The type of a field (EIP-712, "Definition of typed structured data"). */
export type FieldType =
  | { readonly kind: 'uint' | 'int'; readonly bits: number }
  | { readonly kind: 'fixed-bytes'; readonly length: number }
  | { readonly kind: 'bool' | 'address' | 'string' | 'bytes' }
  | { readonly kind: 'struct'; readonly name: string }
  /** `length` is null where any number of elements may stand. */
  | { readonly kind: 'array'; readonly element: FieldType; readonly length: number | null };

export interface Field {
  readonly name: string;
  /** The type as it is written, which the hash of the struct's type commits to. */
  readonly text: string;
  readonly type: FieldType;
}

/** The struct types of a document by name, in the order of the document. */
export type StructTypes = ReadonlyMap<string, readonly Field[]>;

/** The most struct types of a document, the domain's included. */
export const MAX_STRUCT_TYPES = 32;
/** The most fields of one struct type. */
export const MAX_STRUCT_FIELDS = 64;
/** The most dimensions of an array. */
export const MAX_ARRAY_DIMENSIONS = 4;

export const DOMAIN_TYPE = 'EIP712Domain';

/** Narrower than Solidity's identifiers: some implementations read no `$`, and no `_` before a struct's name. */
const STRUCT_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ARRAY_SUFFIX = /^(.+)\[([1-9][0-9]{0,3})?\]$/;
const NUMBER_TYPE = /^(uint|int|bytes)([1-9][0-9]{0,2})$/;
/** Names that a struct cannot have: those of atomic types, and of what Solidity reads as one. */
const RESERVED = /^(?:u?int[0-9]*|bytes[0-9]*|u?fixed[0-9x]*|bool|address|string|function|tuple)$/;

/**
 * Parses the struct types of a document. There is no cycle among them: a value of a cyclic type has an end only where an
 * array is empty, and implementations differ in what they take.
 *
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_TOO_LARGE; TRANSACTION_UNSUPPORTED for a cycle
 */
export function parseTypes(value: JsonValue): StructTypes {
  const entries = Object.entries(asObject(value, 'types'));
  if (entries.length > MAX_STRUCT_TYPES) throw tooLarge('types', MAX_STRUCT_TYPES);
  const names = new Set(entries.map(([name]) => name));
  return new Map(
    entries.map(([name, fields]) => {
      if (!STRUCT_NAME.test(name) || RESERVED.test(name))
        throw malformed('types', 'names that are identifiers');
      return [name, parseFields(fields, `types.${name}`, names)];
    }),
  );
}

/** Requires an object. */
export function asObject(value: JsonValue | undefined, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'an object');
  return value;
}

/** Requires an object with these keys and no other. */
export function asRecord(value: JsonValue | undefined, keys: readonly string[], path: string): JsonObject {
  const object = asObject(value, path);
  const found = Object.keys(object);
  if (found.length !== keys.length || !keys.every((key) => key in object)) {
    throw malformed(path, `exactly the keys ${keys.join(', ')}`);
  }
  return object;
}

function parseFields(value: JsonValue, path: string, names: ReadonlySet<string>): readonly Field[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed(path, 'a list of fields');
  if (value.length > MAX_STRUCT_FIELDS) throw tooLarge(path, MAX_STRUCT_FIELDS);
  const seen = new Set<string>();
  return value.map((entry, index) => {
    const { name, type } = asRecord(entry, ['name', 'type'], `${path}[${index}]`);
    if (typeof name !== 'string' || !FIELD_NAME.test(name))
      throw malformed(`${path}[${index}].name`, 'an identifier');
    if (seen.has(name)) throw malformed(`${path}[${index}].name`, 'a name that no other field has');
    seen.add(name);
    if (typeof type !== 'string') throw malformed(`${path}[${index}].type`, 'a string');
    return { name, text: type, type: parseType(type, `${path}[${index}].type`, names, 0) };
  });
}

function parseType(text: string, path: string, names: ReadonlySet<string>, dimensions: number): FieldType {
  const [, element, length] = ARRAY_SUFFIX.exec(text) ?? [];
  if (element !== undefined) {
    if (dimensions >= MAX_ARRAY_DIMENSIONS) throw tooLarge(path, MAX_ARRAY_DIMENSIONS);
    return {
      kind: 'array',
      element: parseType(element, path, names, dimensions + 1),
      length: length === undefined ? null : Number(length),
    };
  }
  if (text === 'bool' || text === 'address' || text === 'string' || text === 'bytes') return { kind: text };
  const [, kind, digits] = NUMBER_TYPE.exec(text) ?? [];
  const size = Number(digits);
  if (kind === 'bytes' && size <= 32) return { kind: 'fixed-bytes', length: size };
  if ((kind === 'uint' || kind === 'int') && size <= 256 && size % 8 === 0) return { kind, bits: size };
  if (text !== DOMAIN_TYPE && names.has(text)) return { kind: 'struct', name: text };
  throw malformed(path, 'a type of EIP-712 with its width, or a struct that the document declares');
}

/**
 * Lists the struct types that a struct consists of, itself first and the others in the order of their names.
 *
 * @throws TransactionError TRANSACTION_UNSUPPORTED where one contains itself
 */
export function listDependencies(types: StructTypes, root: string): string[] {
  const done = new Set<string>();
  const visit = (name: string, parents: readonly string[]): void => {
    if (parents.includes(name)) {
      throw new TransactionError('TRANSACTION_UNSUPPORTED', `types.${name}: the type contains itself`, {
        field: name,
      });
    }
    if (done.has(name)) return;
    for (const { type } of types.get(name) ?? []) {
      const inner = stripArrays(type);
      if (inner.kind === 'struct') visit(inner.name, [...parents, name]);
    }
    done.add(name);
  };
  visit(root, []);
  done.delete(root);
  return [root, ...[...done].sort()];
}

function stripArrays(type: FieldType): FieldType {
  return type.kind === 'array' ? stripArrays(type.element) : type;
}

/** Writes a struct type and those that it consists of, as EIP-712's `encodeType` does. */
export function encodeType(types: StructTypes, root: string): string {
  return listDependencies(types, root)
    .map(
      (name) => `${name}(${(types.get(name) ?? []).map((field) => `${field.text} ${field.name}`).join(',')})`,
    )
    .join('');
}
