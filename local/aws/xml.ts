/** Content of an XML element: text, or elements in order. */
export type XmlContent = string | readonly XmlElement[];

/** XML element without attributes, but for a namespace. */
export interface XmlElement {
  readonly name: string;
  readonly content: XmlContent;
  readonly namespace?: string;
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** Creates an element. Content that is no text has its members as elements, as `encodeMembers` says. */
export function element(name: string, content: unknown, namespace?: string): XmlElement {
  const members = typeof content === 'string' ? content : encodeMembers(content);
  return { name, content: members, ...(namespace === undefined ? {} : { namespace }) };
}

/**
 * Encodes an object as elements, in its order: an array is a list of `member`s, a date ISO 8601, undefined is left out.
 * Source: Smithy, "AWS query protocol".
 */
export function encodeMembers(value: unknown): XmlContent {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item: unknown) => element('member', item));
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => element(name, member));
}

/** Writes a document. */
export function writeXml(root: XmlElement): Buffer {
  return Buffer.from(DECLARATION + write(root), 'utf8');
}

function write({ name, content, namespace }: XmlElement): string {
  const open = namespace === undefined ? name : `${name} xmlns="${escape(namespace)}"`;
  const inner = typeof content === 'string' ? escape(content) : content.map(write).join('');
  return `<${open}>${inner}</${name}>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? '');
}
