import type { GatewayResponse } from '../protocol.ts';
import type { TezosRefusal } from './errors.ts';

type Response = Pick<GatewayResponse, 'status' | 'headers' | 'body'>;

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Responds with 200 and a JSON body. */
export function sendJson(body: object): Response {
  return { status: 200, headers: { 'content-type': JSON_TYPE }, body: JSON.stringify(body) };
}

/** Responds with a refusal as Octez reads it: a list with one error. */
export function sendError({ status, message }: TezosRefusal): Response {
  const body = JSON.stringify([{ id: 'failure', kind: 'temporary', msg: message }]);
  return { status, headers: { 'content-type': JSON_TYPE }, body };
}

/** Responds as a router does that knows no such path or method. */
export function sendText(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return { status, headers: { 'content-type': TEXT_TYPE, ...headers }, body };
}
