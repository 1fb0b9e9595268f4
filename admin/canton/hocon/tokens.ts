import { HoconError, type HoconPlace } from './errors.ts';

/** Text that is read after those before it, as if they were one file with a newline after each. */
export interface HoconText {
  readonly source: string;
  readonly text: string;
}

export const MAX_HOCON_LENGTH = 1024 * 1024;

type Punctuation = '{' | '}' | '[' | ']' | ',' | ':' | '=' | '+=' | 'newline' | 'end';

/** Token of HOCON. A word is what stands without quotes; its text is as written, its value what that means by itself. */
export type Token = { readonly place: HoconPlace } & (
  | { readonly type: Punctuation }
  | { readonly type: 'space'; readonly text: string }
  | { readonly type: 'quoted'; readonly text: string }
  | { readonly type: 'word'; readonly text: string; readonly value: string | number | boolean | null }
  | { readonly type: 'substitution'; readonly path: readonly string[]; readonly isOptional: boolean }
);

/** Characters that end a word; each of them outside of quotes is either punctuation or an error. */
const NOT_IN_WORDS = /[$"{}[\]:=,+#`^?!@*&\\]/;
const SPACE = /[^\S\n]|[\u001c-\u001f]/;
const WORD = /(?:(?!\/\/)[^$"{}[\]:=,+#`^?!@*&\\\s\u001c-\u001f])+/y;
/** Words that end where they are complete: what follows without a space is a token of its own. */
const KEYWORD = /true|false|null/y;
const NUMBER = /[-\d][\deE+.-]*/y;
const SPACES = /(?:[^\S\n]|[\u001c-\u001f])+/y;
const COMMENT = /(?:#|\/\/)[^\n]*/y;
const QUOTED = /(?!""")"((?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"/y;
const TRIPLE = /"""([\s\S]*?"*)"""(?!")/y;
const SUBSTITUTION = /\$\{(\??)([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\}/y;
const PUNCTUATION = /\+=|[{}[\],:=]/y;

/**
 * Splits texts into tokens as com.typesafe:config 1.4.5 does (Tokenizer.java).
 *
 * @throws HoconError HOCON_SYNTAX, HOCON_UNSUPPORTED, HOCON_TOO_LARGE
 */
export function tokenize(texts: readonly HoconText[]): Token[] {
  const tokens: Token[] = [];
  const [whole, placeAt] = join(texts);
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(whole);
    if (match !== null) at += match[0].length;
    return match ?? undefined;
  };
  while (at < whole.length) {
    const place = placeAt(at);
    const character = whole[at] ?? '';
    if (character === '\n') {
      at += 1;
      tokens.push({ type: 'newline', place });
    } else if (SPACE.test(character)) {
      tokens.push({ type: 'space', text: take(SPACES)?.[0] ?? '', place });
    } else if (take(COMMENT) === undefined) {
      tokens.push(takeToken(take, character, place));
    }
  }
  tokens.push({ type: 'end', place: placeAt(at) });
  return tokens;
}

function takeToken(
  take: (pattern: RegExp) => RegExpExecArray | undefined,
  first: string,
  place: HoconPlace,
): Token {
  if (first === '"') {
    const quoted = take(TRIPLE)?.[1] ?? readQuoted(take(QUOTED)?.[0]);
    if (quoted === undefined)
      throw new HoconError('HOCON_SYNTAX', 'expected the end of a string in its line', place);
    return { type: 'quoted', text: quoted, place };
  }
  const [, optional, path] = take(SUBSTITUTION) ?? [];
  if (path !== undefined)
    return { type: 'substitution', path: path.split('.'), isOptional: optional === '?', place };
  const punctuation = take(PUNCTUATION)?.[0];
  if (punctuation !== undefined) return { type: punctuation as Punctuation, place };
  if (/[-\d]/.test(first)) return readNumber(take(NUMBER)?.[0] ?? '', place);
  const word = take(KEYWORD)?.[0] ?? take(WORD)?.[0];
  if (word !== undefined) return { type: 'word', text: word, value: readWord(word), place };
  const isOther = first === '$' && take(/\$\{[^}\n]*\}/y) !== undefined;
  if (isOther) throw new HoconError('HOCON_UNSUPPORTED', 'expected a plain path in a substitution', place);
  throw new HoconError('HOCON_SYNTAX', `expected quotes around a string with ${first}`, place, {
    character: first,
  });
}

/** Value of a word by itself; one beside others is text. */
function readWord(text: string): string | boolean | null {
  if (text === 'null') return null;
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** A token that begins as numbers do; what is none is a word, unless it has a character that no word may have. */
function readNumber(text: string, place: HoconPlace): Token {
  const isFloat = /[.eE]/.test(text);
  const isNumber = isFloat
    ? /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)
    : /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
  if (isNumber) {
    const value = Number(text);
    if (isFloat ? !Number.isFinite(value) : !Number.isSafeInteger(value))
      throw new HoconError('HOCON_UNSUPPORTED', 'expected a smaller number', place);
    return { type: 'word', text, value, place };
  }
  if (NOT_IN_WORDS.test(text))
    throw new HoconError('HOCON_SYNTAX', 'expected quotes around a string with +', place, { character: '+' });
  return { type: 'word', text, value: text, place };
}

function readQuoted(quoted: string | undefined): string | undefined {
  return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
}

/**
 * Joins texts as the participant's entry script does, and gives the place of each index of what it has joined; indices
 * come in rising order.
 */
function join(texts: readonly HoconText[]): [string, (at: number) => HoconPlace] {
  const ends: number[] = [];
  let whole = '';
  for (const { text } of texts) {
    whole += `${text}\n`;
    ends.push(whole.length);
  }
  let [index, line, seen] = [0, 1, 0];
  const placeAt = (at: number): HoconPlace => {
    for (; seen < at; seen += 1) {
      if (whole[seen] === '\n') line += 1;
      if (seen + 1 === ends[index] && index + 1 < texts.length) [index, line] = [index + 1, 1];
    }
    return { source: texts[index]?.source ?? '', line };
  };
  if (whole.length > MAX_HOCON_LENGTH) {
    throw new HoconError('HOCON_TOO_LARGE', 'the texts are longer than their maximum', placeAt(0), {
      maximum: MAX_HOCON_LENGTH,
    });
  }
  return [whole, placeAt];
}
