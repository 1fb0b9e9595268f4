import { AwsServiceError } from '../../shared/aws-json/index.ts';
import type { XmlElement } from './xml.ts';

const MAX_DEPTH = 12;
const MAX_ELEMENTS = 20_000;
const NAME = /^[A-Za-z_][\w.-]{0,127}$/;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a document of elements and text, as AWS's protocols have it: attributes are passed over, and there are no document
 * types, comments, sections of CDATA or instructions inside. Text between elements is white space alone.
 *
 * @throws AwsServiceError MalformedXML
 */
export function parseXml(text: string): XmlElement {
  const state = { text: text.replace(/^\uFEFF?\s*<\?xml[^?<>]{0,200}\?>/, ''), at: 0, elements: 0 };
  skipSpace(state);
  const root = parseElement(state, 0);
  skipSpace(state);
  if (state.at !== state.text.length) throw malformed();
  return root;
}

/** Elements of an element; none of one that is text. */
export function childrenOf({ content }: XmlElement, name?: string): readonly XmlElement[] {
  if (typeof content === 'string') return [];
  return name === undefined ? content : content.filter((child) => child.name === name);
}

/** Text of the one child of that name; undefined without one. @throws AwsServiceError MalformedXML */
export function childText(parent: XmlElement, name: string): string | undefined {
  const [child, another] = childrenOf(parent, name);
  if (another !== undefined) throw malformed();
  if (child === undefined) return undefined;
  if (typeof child.content === 'string') return child.content;
  if (child.content.length > 0) throw malformed();
  return '';
}

interface State {
  readonly text: string;
  at: number;
  elements: number;
}

function parseElement(state: State, depth: number): XmlElement {
  state.elements += 1;
  if (depth > MAX_DEPTH || state.elements > MAX_ELEMENTS || state.text[state.at] !== '<') throw malformed();
  const end = state.text.indexOf('>', state.at);
  if (end < 0) throw malformed();
  const head = state.text.slice(state.at + 1, end);
  state.at = end + 1;
  const isEmpty = head.endsWith('/');
  const name = /^[^\s/]+/.exec(head)?.[0] ?? '';
  const local = name.includes(':') ? name.slice(name.indexOf(':') + 1) : name;
  if (!NAME.test(local) || head.includes('<')) throw malformed();
  if (isEmpty) return { name: local, content: '' };
  const children: XmlElement[] = [];
  let text = '';
  for (;;) {
    const next = state.text.indexOf('<', state.at);
    if (next < 0) throw malformed();
    text += decodeText(state.text.slice(state.at, next));
    state.at = next;
    if (state.text.startsWith(`</${name}`, next)) {
      const close = state.text.indexOf('>', next);
      if (close < 0 || state.text.slice(next + 2 + name.length, close).trim() !== '') throw malformed();
      state.at = close + 1;
      break;
    }
    children.push(parseElement(state, depth + 1));
  }
  if (children.length === 0) return { name: local, content: text };
  if (text.trim() !== '') throw malformed();
  return { name: local, content: children };
}

function decodeText(text: string): string {
  return text.replace(/&([^;&]{0,12});?/g, (whole, entity: string) => {
    const known = ENTITIES[entity];
    if (known !== undefined && whole.endsWith(';')) return known;
    const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(entity) ?? [];
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!whole.endsWith(';') || !(code > 0 && code <= 0x10ffff)) throw malformed();
    return String.fromCodePoint(code);
  });
}

function skipSpace(state: State): void {
  while (/\s/.test(state.text[state.at] ?? '')) state.at += 1;
}

function malformed(): AwsServiceError {
  return new AwsServiceError(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
