import { JsonError, type JsonErrorCode } from './errors.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** An object without a prototype: no inherited name can be mistaken for a field. */
export interface JsonObject {
  [key: string]: JsonValue;
}

export interface JsonLimits {
  /** The longest input: bytes, or UTF-16 units of a string. */
  readonly maxBytes: number;
  /** The most arrays and objects open at once, up to {@link MAX_JSON_DEPTH}. */
  readonly maxDepth: number;
}

/** The deepest nesting that a caller can ask for: the parser recurses. */
export const MAX_JSON_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses one JSON text (RFC 8259) that fills the input but for white space. Refuses text on which two readers could
 * differ: duplicate keys, `__proto__`, a byte order mark, bytes that are not UTF-8, halves of surrogate pairs, integers
 * that a double does not hold exactly.
 *
 * @throws JsonError for any input that is refused; RangeError for limits out of range
 */
export function parseJson(input: Uint8Array | string, limits: JsonLimits): JsonValue {
  const { maxBytes, maxDepth } = limits;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) throw new RangeError('maxBytes is a positive integer');
  if (!Number.isSafeInteger(maxDepth) || maxDepth < 0 || maxDepth > MAX_JSON_DEPTH) {
    throw new RangeError(`maxDepth is an integer from 0 to ${MAX_JSON_DEPTH}`);
  }
  if (input.length > maxBytes) {
    throw new JsonError('JSON_TOO_LARGE', `JSON of ${input.length} bytes, at most ${maxBytes} are taken`, {
      actual: input.length,
      maximum: maxBytes,
    });
  }
  return new Parser(typeof input === 'string' ? input : decodeUtf8(input), maxDepth).parseDocument();
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new JsonError('JSON_UNICODE', 'not UTF-8');
  }
}

// Sticky expressions, so that each matches at the parser's own place and nowhere else.
const WHITE_SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const UNICODE_ESCAPE = /[0-9a-fA-F]{4}/y;

const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  #offset = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  parseDocument(): JsonValue {
    const value = this.#parseValue(0);
    if (this.#offset !== this.#text.length)
      throw this.#error('JSON_TRAILING_BYTES', 'text after the end of the value');
    return value;
  }

  /** Parses a value with the white space around it. */
  #parseValue(depth: number): JsonValue {
    this.#match(WHITE_SPACE);
    const value = this.#parseBareValue(depth);
    this.#match(WHITE_SPACE);
    return value;
  }

  #parseBareValue(depth: number): JsonValue {
    switch (this.#text.charAt(this.#offset)) {
      case '{':
        return this.#parseObject(depth);
      case '[':
        return this.#parseArray(depth);
      case '"':
        return this.#parseString();
      case 't':
        return this.#parseWord('true', true);
      case 'f':
        return this.#parseWord('false', false);
      case 'n':
        return this.#parseWord('null', null);
      default:
        return this.#parseNumber();
    }
  }

  #parseObject(depth: number): JsonObject {
    this.#enter(depth);
    const object: JsonObject = { __proto__: null } satisfies { __proto__: null };
    this.#match(WHITE_SPACE);
    if (this.#take('}')) return object;
    do {
      this.#match(WHITE_SPACE);
      const at = this.#offset;
      if (this.#text[at] !== '"') throw this.#syntax();
      const key = this.#parseString();
      if (key === '__proto__') throw this.#error('JSON_FORBIDDEN_KEY', 'a key named __proto__', at);
      if (key in object) throw this.#error('JSON_DUPLICATE_KEY', 'a key that the object already has', at);
      this.#match(WHITE_SPACE);
      if (!this.#take(':')) throw this.#syntax();
      object[key] = this.#parseValue(depth + 1);
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#syntax();
    return object;
  }

  #parseArray(depth: number): JsonValue[] {
    this.#enter(depth);
    const array: JsonValue[] = [];
    this.#match(WHITE_SPACE);
    if (this.#take(']')) return array;
    do array.push(this.#parseValue(depth + 1));
    while (this.#take(','));
    if (!this.#take(']')) throw this.#syntax();
    return array;
  }

  #parseString(): string {
    const start = this.#offset;
    this.#offset += 1;
    let result = '';
    for (;;) {
      result += this.#match(PLAIN_TEXT) ?? '';
      if (this.#take('"')) break;
      if (!this.#take('\\')) throw this.#syntax();
      result += this.#parseEscape();
    }
    if (!result.isWellFormed()) throw this.#error('JSON_UNICODE', 'half a surrogate pair', start);
    return result;
  }

  #parseEscape(): string {
    if (this.#take('u')) {
      const digits = this.#match(UNICODE_ESCAPE);
      if (digits === undefined) throw this.#syntax();
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const escaped = ESCAPES.get(this.#text[this.#offset] ?? '');
    if (escaped === undefined) throw this.#syntax();
    this.#offset += 1;
    return escaped;
  }

  #parseNumber(): number {
    const at = this.#offset;
    const digits = this.#match(NUMBER);
    if (digits === undefined || digits === '') throw this.#syntax();
    const number = Number(digits);
    if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) {
      throw this.#error('JSON_NUMBER', 'a number that loses digits', at);
    }
    return number;
  }

  #parseWord<Value extends boolean | null>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#offset)) throw this.#syntax();
    this.#offset += word.length;
    return value;
  }

  #enter(depth: number): void {
    if (depth >= this.#maxDepth) throw this.#error('JSON_TOO_DEEP', 'arrays and objects nested too deep');
    this.#offset += 1;
  }

  #take(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false;
    this.#offset += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  #syntax(): JsonError {
    return this.#offset >= this.#text.length
      ? this.#error('JSON_TRUNCATED', 'the text ends')
      : this.#error('JSON_SYNTAX', 'not JSON');
  }

  #error(code: JsonErrorCode, message: string, offset = this.#offset): JsonError {
    return new JsonError(code, `${message}, at character ${offset}`, { offset });
  }
}
