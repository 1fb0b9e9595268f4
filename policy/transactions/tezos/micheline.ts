import { bytesToHex } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { Reader, type Writer } from './bytes.ts';
import { type Codec, dynamic, integer, rest } from './codec.ts';
import { MAX_ANNOTATION_LENGTH, MAX_MICHELINE_DEPTH } from './limits.ts';
import { primitiveTag, PRIMITIVES } from './primitives.ts';

/** Expression of Micheline, the form of all data and code of Michelson. */
export type Micheline =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'sequence'; readonly items: readonly Micheline[] }
  | {
      readonly type: 'prim';
      readonly prim: string;
      readonly args: readonly Micheline[];
      readonly annotations: readonly string[];
    };

export const UNIT: Micheline = { type: 'prim', prim: 'Unit', args: [], annotations: [] };

/** Tags of nodes (Octez: `Micheline_encoding`). From 3 to 8: up to two arguments, without and with annotations. */
const INT = 0;
const STRING = 1;
const SEQUENCE = 2;
const PRIM = 3;
const PRIM_GENERIC = 9;
const BYTES = 10;

const ANNOTATION = /^[@:%_0-9a-zA-Z.]+$/;
/** Michelson's strings are printable ASCII and line feeds. */
const isTextByte = (byte: number) => (byte >= 0x20 && byte <= 0x7e) || byte === 0x0a;

const text: Codec<string> = {
  read: (reader) => {
    const bytes = rest.read(reader);
    if (!bytes.every(isTextByte)) {
      throw new TransactionError('TRANSACTION_MALFORMED', 'a string has characters that Michelson has not');
    }
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  },
  write: (writer, value) => writer.append(Uint8Array.from(value, (character) => character.charCodeAt(0))),
};
const string = dynamic(text);
const bytes = dynamic(rest);

function readAnnotations(reader: Reader): readonly string[] {
  const joined = string.read(reader);
  if (joined === '') return [];
  const annotations = joined.split(' ');
  if (!annotations.every((one) => ANNOTATION.test(one) && one.length <= MAX_ANNOTATION_LENGTH)) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'an annotation is none of Michelson');
  }
  return annotations;
}

function readNode(reader: Reader, depth: number): Micheline {
  if (depth > MAX_MICHELINE_DEPTH) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', 'an expression is nested too deeply', {
      maximum: MAX_MICHELINE_DEPTH,
    });
  }
  const readMany = (inner: Reader) => {
    const nodes: Micheline[] = [];
    while (!inner.isAtEnd) nodes.push(readNode(inner, depth + 1));
    return nodes;
  };
  const tag = reader.unsigned(1);
  switch (tag) {
    case INT:
      return { type: 'int', value: integer.read(reader) };
    case STRING:
      return { type: 'string', value: string.read(reader) };
    case SEQUENCE:
      return { type: 'sequence', items: readMany(new Reader(reader.take(reader.unsigned(4)))) };
    case BYTES:
      return { type: 'bytes', value: bytes.read(reader) };
  }
  if (tag > PRIM_GENERIC) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'no node of Micheline has this tag', { found: tag });
  }
  const primitive = reader.unsigned(1);
  const prim = PRIMITIVES[primitive];
  if (prim === undefined) {
    throw new TransactionError('TRANSACTION_MALFORMED', 'the primitive is not known', { found: primitive });
  }
  if (tag === PRIM_GENERIC) {
    const args = readMany(new Reader(reader.take(reader.unsigned(4))));
    return { type: 'prim', prim, args, annotations: readAnnotations(reader) };
  }
  const args: Micheline[] = [];
  for (let left = (tag - PRIM) >> 1; left > 0; left -= 1) args.push(readNode(reader, depth + 1));
  return { type: 'prim', prim, args, annotations: (tag - PRIM) % 2 === 1 ? readAnnotations(reader) : [] };
}

function writeNode(writer: Writer, node: Micheline): void {
  switch (node.type) {
    case 'int':
      writer.unsigned(1, INT);
      return integer.write(writer, node.value);
    case 'string':
      writer.unsigned(1, STRING);
      return string.write(writer, node.value);
    case 'bytes':
      writer.unsigned(1, BYTES);
      return bytes.write(writer, node.value);
    case 'sequence':
      writer.unsigned(1, SEQUENCE);
      return writer.prefixed(4, () => node.items.forEach((item) => writeNode(writer, item)));
    case 'prim':
      return writePrim(writer, node);
  }
}

function writePrim(writer: Writer, node: Extract<Micheline, { type: 'prim' }>): void {
  const { prim, args, annotations } = node;
  const isGeneric = args.length > 2;
  const isAnnotated = annotations.length > 0;
  writer.unsigned(1, isGeneric ? PRIM_GENERIC : PRIM + 2 * args.length + (isAnnotated ? 1 : 0));
  writer.unsigned(1, primitiveTag(prim));
  const writeArgs = () => args.forEach((argument) => writeNode(writer, argument));
  if (isGeneric) writer.prefixed(4, writeArgs);
  else writeArgs();
  if (isGeneric || isAnnotated) string.write(writer, annotations.join(' '));
}

/** A Micheline expression. */
export const micheline: Codec<Micheline> = {
  read: (reader) => readNode(reader, 1),
  write: writeNode,
};

/** Tells whether an expression is the unit value, without an annotation. */
export function isUnit(node: Micheline): boolean {
  return node.type === 'prim' && node.prim === 'Unit' && node.args.length + node.annotations.length === 0;
}

/** Writes an expression in Michelson's notation, cut after `maximum` characters with an ellipsis. */
export function printMicheline(node: Micheline, maximum: number): string {
  let printed = '';
  const print = (part: string) => {
    if (printed.length <= maximum) printed += part;
  };
  const visit = (one: Micheline, isArgument: boolean): void => {
    if (printed.length > maximum) return;
    switch (one.type) {
      case 'int':
        return print(String(one.value));
      case 'string':
        return print(JSON.stringify(one.value));
      case 'bytes':
        return print(`0x${bytesToHex(one.value.subarray(0, maximum))}`);
      case 'sequence':
        print('{');
        one.items.forEach((item, index) => {
          print(index === 0 ? ' ' : ' ; ');
          visit(item, false);
        });
        return print(' }');
      case 'prim': {
        const isGrouped = isArgument && one.args.length + one.annotations.length > 0;
        print(`${isGrouped ? '(' : ''}${[one.prim, ...one.annotations].join(' ')}`);
        for (const argument of one.args) {
          print(' ');
          visit(argument, true);
        }
        return print(isGrouped ? ')' : '');
      }
    }
  };
  visit(node, false);
  return printed.length <= maximum ? printed : `${printed.slice(0, maximum)}…`;
}
