import type { GatewayRequest } from '../protocol.ts';
import { readKeyHash } from './account.ts';
import { REFUSALS } from './errors.ts';
import type { Tagged } from '../../../policy/transactions/tezos/index.ts';

/** Longest request target: a path with a hash, and two parameters. */
const MAX_TARGET_LENGTH = 2048;

/** A request whose path is one of the protocol's. */
export type TezosRoute =
  | { readonly name: 'authorized-keys' }
  | {
      readonly name: 'key';
      readonly method: 'GET' | 'POST';
      readonly hash: string;
      readonly query: URLSearchParams;
    }
  | { readonly name: 'possession'; readonly hash: string; readonly query: URLSearchParams }
  | { readonly name: 'not-found' }
  | { readonly name: 'not-allowed'; readonly allow: string };

const METHODS: Readonly<Record<string, readonly string[]>> = {
  'authorized-keys': ['GET'],
  key: ['GET', 'POST'],
  possession: ['GET'],
};

/** Finds what a request is about by its method and target; the hash is not read yet. */
export function findRoute({ method, target }: Pick<GatewayRequest, 'method' | 'target'>): TezosRoute {
  const [path = '', ...rest] = target.split('?');
  if (target.length > MAX_TARGET_LENGTH || rest.length > 1) return { name: 'not-found' };
  const query = new URLSearchParams(rest[0] ?? '');
  const [start, first, second, ...others] = path.split('/');
  if (start !== '' || others.length > 0) return { name: 'not-found' };
  const name =
    first === 'authorized_keys' && second === undefined
      ? 'authorized-keys'
      : first === 'keys' && second !== undefined && second !== ''
        ? 'key'
        : first === 'bls_prove_possession' && second !== undefined && second !== ''
          ? 'possession'
          : undefined;
  if (name === undefined) return { name: 'not-found' };
  const methods = METHODS[name] ?? [];
  if (!methods.includes(method)) return { name: 'not-allowed', allow: methods.join(', ') };
  const hash = second ?? '';
  if (name === 'authorized-keys') return { name };
  if (name === 'possession') return { name, hash, query };
  return { name, hash, query, method: method === 'GET' ? 'GET' : 'POST' };
}

/** Reads the hash of a key out of a path. @throws TezosRefusal SIGNER_REQUEST_MALFORMED */
export function parseKeyHash(text: string): Tagged {
  const hash = readKeyHash(text);
  if (hash === undefined) throw REFUSALS.badBase58();
  return hash;
}

/** Returns the single value of a parameter; undefined where it is absent. @throws TezosRefusal SIGNER_REQUEST_MALFORMED */
export function readParameter(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw REFUSALS.malformed(`${name} is given more than once`);
  return values[0];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a body: one JSON string of hex digits in either case. @throws TezosRefusal SIGNER_REQUEST_MALFORMED */
export function parseBody(body: Uint8Array): Uint8Array {
  const value = parseJsonText(body);
  if (typeof value !== 'string') {
    throw REFUSALS.malformed(`json: cannot unmarshal ${describeJson(value)} into Go value of type string`);
  }
  if (/^(?:[0-9a-fA-F]{2})*$/.test(value)) return Buffer.from(value, 'hex');
  const odd = /[^0-9a-fA-F]/u.exec(value);
  if (odd === null) throw REFUSALS.malformed('encoding/hex: odd length hex string');
  throw REFUSALS.malformed(`encoding/hex: invalid byte: ${describeCharacter(odd[0])}`);
}

function parseJsonText(body: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw REFUSALS.malformed('the body is not UTF-8');
  }
  if (text.trim() === '') throw REFUSALS.malformed('unexpected end of JSON input');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const isOpen = /^\s*"(?:[^"\\]|\\.)*$/s.test(text);
    throw REFUSALS.malformed(isOpen ? 'unexpected end of JSON input' : 'the body is not JSON');
  }
}

function describeJson(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function describeCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /[\x20-\x7e]/.test(character) ? `U+${code} '${character}'` : `U+${code}`;
}
