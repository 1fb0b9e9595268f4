import { parseJson } from '../../../shared/json/index.ts';
import type { Json } from '../../ethereum/fields.ts';
import { EthereumDoorError } from './errors.ts';
import { type EthereumRefusal, refuse } from './refuse-node.ts';

/** The most requests of one batch: each is a decision of its own. */
export const MAX_BATCH = 32;
/** Deepest nesting: a transaction in the parameters of a request of a batch. */
const MAX_DEPTH = 24;

/** One request of JSON-RPC 2.0. */
export interface RpcRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: readonly Json[];
}

/** A request, or what is wrong with it, so that the others of a batch are answered. */
type RpcItem =
  | { readonly request: RpcRequest }
  | { readonly id: string | number | null; readonly error: EthereumDoorError };

/** Requests of a body: one, or a batch. */
export interface RpcCall {
  readonly items: readonly RpcItem[];
  readonly isBatch: boolean;
}

const malformed = (message: string) => new EthereumDoorError('RPC_REQUEST_MALFORMED', message);

/**
 * Parses a body. A request without an id, a notification, is refused: nobody would learn what was signed.
 *
 * @throws JsonError where the body is no strict JSON; EthereumDoorError RPC_REQUEST_MALFORMED for a batch of no length
 */
export function parseCall(body: Uint8Array): RpcCall {
  const value = parseJson(body, { maxBytes: body.length, maxDepth: MAX_DEPTH }) as Json;
  if (!Array.isArray(value)) return { items: [parseItem(value)], isBatch: false };
  if (value.length === 0 || value.length > MAX_BATCH)
    throw malformed(`expected a batch of 1 to ${MAX_BATCH} requests`);
  return { items: value.map(parseItem), isBatch: true };
}

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params']);

function parseItem(value: Json): RpcItem {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { id: null, error: malformed('expected an object') };
  const { jsonrpc, id, method, params = [], ...others } = value as Record<string, Json>;
  if (typeof id !== 'string' && !Number.isSafeInteger(id))
    return { id: null, error: malformed('expected an id: a text or a whole number') };
  const known = id as string | number;
  if (jsonrpc !== '2.0') return { id: known, error: malformed('expected jsonrpc "2.0"') };
  if (typeof method !== 'string') return { id: known, error: malformed('expected a method') };
  if (!Array.isArray(params)) return { id: known, error: malformed('expected a list of parameters') };
  const unknown = Object.keys(others).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) return { id: known, error: malformed('a member that no request has') };
  return { request: { id: known, method, params: params as Json[] } };
}

/** A response to one request. */
export type RpcResponse = Readonly<Record<string, Json>>;

export const respond = (id: string | number, result: Json): RpcResponse => ({ jsonrpc: '2.0', id, result });

/** Writes an error; `data` has our code and what a program may look at. */
export function respondRefused(
  id: string | number | null,
  { number, code, message, details }: EthereumRefusal,
): RpcResponse {
  return {
    jsonrpc: '2.0',
    id,
    error: { code: number, message: `${code}: ${message}`, data: { code, ...details } },
  };
}

/** Answers a body that is no JSON: -32700, as JSON-RPC 2.0 has it. */
export function refuseBody(error: unknown): EthereumRefusal {
  const refusal = refuse(error);
  return error instanceof EthereumDoorError ? refusal : { ...refusal, number: -32700 };
}
