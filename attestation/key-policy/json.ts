import { KeyPolicyError } from './errors.ts';

/** JSON with objects as maps, so that no member name can collide with a prototype. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** The longest key policy document that AWS KMS stores, in bytes (PutKeyPolicy, parameter Policy). */
export const MAX_POLICY_BYTES = 32_768;
const MAX_DEPTH = 16;

const WHITESPACE = /[ \t\n\r]*/y;
// oxlint-disable-next-line no-control-regex -- RFC 8259 section 7 names these characters
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;

/**
 * RFC 8259 without its liberties: a member name that occurs twice is refused, because one reader takes the first
 * and another the last, and a reviewer sees either.
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE
 */
export function parseJson(text: string): Json {
  if (new TextEncoder().encode(text).length > MAX_POLICY_BYTES) {
    throw new KeyPolicyError('POLICY_TOO_LARGE', `a policy has at most ${MAX_POLICY_BYTES} bytes`);
  }
  const reader = { text, at: 0 };
  const value = readValue(reader, 0);
  if (reader.at !== text.length) throw syntax(reader, 'nothing may follow the document');
  return value;
}

interface Reader {
  readonly text: string;
  at: number;
}

function readValue(reader: Reader, depth: number): Json {
  if (depth > MAX_DEPTH) throw syntax(reader, `nested deeper than ${MAX_DEPTH}`);
  take(reader, WHITESPACE);
  const value = readBareValue(reader, depth);
  take(reader, WHITESPACE);
  return value;
}

function readBareValue(reader: Reader, depth: number): Json {
  const first = reader.text[reader.at];
  if (first === '{') return readObject(reader, depth);
  if (first === '[') return readArray(reader, depth);
  if (first === '"') return readString(reader);
  const token = take(reader, LITERAL) ?? take(reader, NUMBER);
  if (token === undefined) throw syntax(reader, 'a value is missing');
  const value: Json = JSON.parse(token);
  return value;
}

function readString(reader: Reader): string {
  const token = take(reader, STRING);
  if (token === undefined) throw syntax(reader, 'a string is missing or malformed');
  const value: string = JSON.parse(token);
  return value;
}

function readArray(reader: Reader, depth: number): Json[] {
  const items: Json[] = [];
  reader.at += 1;
  take(reader, WHITESPACE);
  if (takeCharacter(reader, ']')) return items;
  for (;;) {
    items.push(readValue(reader, depth + 1));
    if (takeCharacter(reader, ']')) return items;
    if (!takeCharacter(reader, ',')) throw syntax(reader, '"," or "]" is missing');
  }
}

function readObject(reader: Reader, depth: number): JsonObject {
  const members = new Map<string, Json>();
  reader.at += 1;
  take(reader, WHITESPACE);
  if (takeCharacter(reader, '}')) return members;
  for (;;) {
    take(reader, WHITESPACE);
    const name = readString(reader);
    if (members.has(name)) throw syntax(reader, `"${name}" occurs twice`);
    take(reader, WHITESPACE);
    if (!takeCharacter(reader, ':')) throw syntax(reader, '":" is missing');
    members.set(name, readValue(reader, depth + 1));
    if (takeCharacter(reader, '}')) return members;
    if (!takeCharacter(reader, ',')) throw syntax(reader, '"," or "}" is missing');
  }
}

function take(reader: Reader, token: RegExp): string | undefined {
  token.lastIndex = reader.at;
  const match = token.exec(reader.text)?.[0];
  if (match !== undefined) reader.at += match.length;
  return match;
}

function takeCharacter(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false;
  reader.at += 1;
  return true;
}

function syntax(reader: Reader, message: string): KeyPolicyError {
  return new KeyPolicyError('POLICY_SYNTAX', message, { offset: reader.at });
}
