import { HoconError, type HoconPlace } from './errors.ts';
import type { Assignment, Fields, Written } from './syntax.ts';
import { type HoconText, type Token, tokenize } from './tokens.ts';

const MAX_DEPTH = 64;

/**
 * Parses texts as one file of HOCON, the subset of it that fragments of Canton's configuration are written in: no
 * includes, no spaces within keys. Whatever else is not read is refused, never skipped.
 *
 * @throws HoconError HOCON_SYNTAX, HOCON_UNSUPPORTED, HOCON_TOO_LARGE
 *
 * Source: https://github.com/lightbend/config/blob/v1.4.5/HOCON.md
 */
export function parseHocon(texts: readonly HoconText[]): Fields {
  return new Parser(tokenize(texts)).parseRoot();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parseRoot(): Fields {
    this.#skipLines();
    const isBraced = this.#peek().type === '{';
    const fields: Fields = new Map();
    if (isBraced) {
      this.#next();
      this.#parseFields(fields, '}');
      this.#next();
      this.#skipLines();
    } else {
      this.#parseFields(fields, 'end');
    }
    if (this.#peek().type !== 'end') throw this.#unexpected('the end');
    return fields;
  }

  /** Parses fields up to a closing token, and leaves that to be taken. */
  #parseFields(fields: Fields, closing: '}' | 'end'): void {
    this.#enter(this.#peek().place);
    for (this.#skipLines(); this.#peek().type !== closing;) {
      this.#parseField(fields);
      if (!this.#parseSeparator() && this.#peek().type !== closing)
        throw this.#unexpected('a comma or a line end');
    }
    this.#depth -= 1;
  }

  /** Takes what ends a field or an item: one comma, line ends, or both. */
  #parseSeparator(): boolean {
    const hasLines = this.#skipLines();
    if (this.#peek().type !== ',') return hasLines;
    this.#next();
    this.#skipLines();
    return true;
  }

  #parseField(fields: Fields): void {
    const { place } = this.#peek();
    const path = this.#parsePath();
    if (path.length > MAX_DEPTH)
      throw new HoconError('HOCON_TOO_LARGE', 'a path has more names than its maximum', place, {
        maximum: MAX_DEPTH,
      });
    this.#skipLines();
    const separator = this.#peek().type;
    if (separator === '+=')
      throw new HoconError('HOCON_UNSUPPORTED', 'appending is not read', this.#peek().place, {
        operator: '+=',
      });
    if (separator === ':' || separator === '=') {
      this.#next();
      this.#skipLines();
    } else if (separator !== '{') {
      throw this.#unexpected('a value for the field');
    }
    // Without a separator there is one object, and nothing beside it.
    const value = separator === '{' ? this.#parsePart() : this.#parseValue();
    if (value === undefined) throw this.#unexpected('a value');
    const last = path.at(-1) ?? '';
    let target = fields;
    for (const name of path.slice(0, -1)) {
      const inner: Fields = new Map();
      assign(target, name, {
        value: { type: 'object', fields: inner, place },
        isPart: false,
      });
      target = inner;
    }
    const parts = value.type === 'concatenation' ? value.parts : [];
    if (!parts.some(({ type }) => type === 'object')) {
      assign(target, last, { value, isPart: false });
      return;
    }
    for (const part of parts.filter(({ type }) => type !== 'scalar'))
      assign(target, last, { value: part, isPart: true });
  }

  /** Parses the path of a field: words, in which dots part names, and names in quotes, in which they do not. */
  #parsePath(): string[] {
    const first = this.#peek();
    const names: string[] = [];
    // Whether a name is open, to which the next token adds.
    let name: string | undefined;
    for (;;) {
      const token = this.#tokens[this.#at] ?? this.#peek();
      if (token.type === 'quoted') {
        name = `${name ?? ''}${token.text}`;
      } else if (token.type === 'word') {
        if (this.#at > 0 && token === first && token.text === 'include')
          throw new HoconError('HOCON_UNSUPPORTED', 'an include is not followed', token.place);
        const [head = '', ...tail] = token.text.split('.');
        name = head === '' ? name : `${name ?? ''}${head}`;
        for (const part of tail) {
          if (name === undefined) throw this.#badPath(token.place);
          names.push(name);
          name = part === '' ? undefined : part;
        }
        if (token.text.endsWith('.')) name = undefined;
      } else {
        break;
      }
      this.#at += 1;
    }
    if (name === undefined) throw this.#badPath(first.place);
    if (this.#tokens[this.#at]?.type === 'space') {
      const { type, place } = this.#peek();
      if (type === 'word' || type === 'quoted')
        throw new HoconError('HOCON_UNSUPPORTED', 'expected no space within a key', place);
    }
    return [...names, name];
  }

  #badPath(place: HoconPlace): HoconError {
    return new HoconError('HOCON_SYNTAX', 'expected the path of a field, without empty names', place);
  }

  #parseValue(): Written {
    const { place } = this.#peek();
    this.#enter(place);
    const parts: Written[] = [];
    for (;;) {
      const space = this.#takeSpace();
      const part = this.#parsePart();
      if (part === undefined) break;
      if (space !== undefined && parts.length > 0) parts.push(space);
      parts.push(part);
    }
    this.#depth -= 1;
    const [only] = parts;
    if (only === undefined) throw this.#unexpected('a value');
    assertJoinable(parts, place);
    return parts.length === 1 ? only : { type: 'concatenation', parts, place };
  }

  #parsePart(): Written | undefined {
    const token = this.#peek();
    const { place } = token;
    if (token.type === 'word') {
      this.#next();
      return { type: 'scalar', value: token.value, text: token.text, place };
    }
    if (token.type === 'quoted') {
      this.#next();
      return { type: 'scalar', value: token.text, text: token.text, place };
    }
    if (token.type === 'substitution') {
      this.#next();
      return { type: 'substitution', path: token.path, isOptional: token.isOptional, place };
    }
    if (token.type === '{') {
      this.#next();
      const fields: Fields = new Map();
      this.#parseFields(fields, '}');
      this.#next();
      return { type: 'object', fields, place };
    }
    if (token.type !== '[') return undefined;
    this.#next();
    const items: Written[] = [];
    for (this.#skipLines(); this.#peek().type !== ']';) {
      items.push(this.#parseValue());
      if (!this.#parseSeparator() && this.#peek().type !== ']')
        throw this.#unexpected('a comma or a line end');
    }
    this.#next();
    return { type: 'array', items, place };
  }

  #takeSpace(): Written | undefined {
    const token = this.#tokens[this.#at];
    if (token?.type !== 'space') return undefined;
    this.#at += 1;
    return { type: 'scalar', value: token.text, text: token.text, place: token.place };
  }

  /** Next token that is no space, which stays to be taken. */
  #peek(): Token {
    let at = this.#at;
    while (this.#tokens[at]?.type === 'space') at += 1;
    const token = this.#tokens[at];
    if (token === undefined) throw new TypeError('tokens without an end');
    return token;
  }

  #next(): void {
    this.#takeSpace();
    this.#at += 1;
  }

  /** Skips line ends, and says whether there were any. */
  #skipLines(): boolean {
    let found = false;
    while (this.#peek().type === 'newline') {
      this.#next();
      found = true;
    }
    this.#takeSpace();
    return found;
  }

  #enter(place: HoconPlace): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH)
      throw new HoconError('HOCON_TOO_LARGE', 'values are nested deeper than their maximum', place, {
        maximum: MAX_DEPTH,
      });
  }

  #unexpected(expected: string): HoconError {
    const { type, place } = this.#peek();
    return new HoconError('HOCON_SYNTAX', `expected ${expected}, found ${type}`, place, { found: type });
  }
}

/** Asserts that values beside each other are of one type, as far as can be told; Canton's reader drops some of them. */
function assertJoinable(parts: readonly Written[], place: HoconPlace): void {
  const types = new Set(
    parts.flatMap(({ type, ...part }) => {
      if (type === 'substitution' || ('text' in part && part.text.trim() === '')) return [];
      return [type];
    }),
  );
  if (types.size > 1)
    throw new HoconError('HOCON_UNSUPPORTED', 'values of several types stand beside each other', place);
}

function assign(fields: Fields, name: string, assignment: Assignment): void {
  const written = fields.get(name);
  if (written === undefined) fields.set(name, [assignment]);
  else written.push(assignment);
}
