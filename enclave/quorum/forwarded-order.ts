import type { KeyObject } from 'node:crypto';
import { MAX_FORWARDED_REQUEST_BYTES, type Plan } from '../../audit/transcript/index.ts';
import { decodeCborObject } from '../../shared/cbor/index.ts';
import { parseJson } from '../../shared/json/index.ts';
import {
  type ForwardedRequest,
  forwardedRequestSchema,
  verifyForwardedRequest,
} from '../signing/forwarded-request.ts';
import { CeremonyError } from './ceremonies/index.ts';
import { type CeremonyOrder, ORDER_TARGET, readOrder } from './order.ts';

const MAX_DEPTH = 4;
/** Seconds after which a client's request permits no ceremony any more. */
const MAX_AGE_SECONDS = 120;

/** What a node knows by itself when another one asks it to take part. */
export interface OrderVerifier {
  /** Session of the node that asks. */
  readonly session: string;
  readonly findKey: (clientId: string) => KeyObject | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Order that a client has signed for the node that leads. */
export interface VerifiedOrder {
  readonly client: string;
  readonly order: CeremonyOrder;
  /** Names the request among all requests of all clients. */
  readonly id: string;
}

/**
 * Verifies a client's request that another node has forwarded, and reads what it orders.
 *
 * @throws HttpSignatureError; CeremonyError CEREMONY_PLAN_REFUSED
 */
export function verifyOrder(bytes: Uint8Array, verifier: OrderVerifier): VerifiedOrder {
  const forwarded = decodeForwarded(bytes);
  const { clientId, id } = verifyForwardedRequest(forwarded, { ...verifier, maxAgeSeconds: MAX_AGE_SECONDS });
  return { client: clientId, order: readForwarded(forwarded), id };
}

/** What an order that names neither nodes nor a threshold means. */
export interface WholeQuorum {
  /** Numbers of all nodes of the quorum, ascending. */
  readonly nodes: readonly number[];
  /** Threshold of the manifest. */
  readonly threshold: number;
}

/** Asserts that a plan does what its request orders, and nothing else. @throws CeremonyError CEREMONY_PLAN_REFUSED */
export function assertOrdered(plan: Plan, order: CeremonyOrder, quorum: WholeQuorum): void {
  const [key, ...others] = plan.keys;
  if (plan.operation !== order.kind || key?.key !== order.key || others.length > 0) throw refuse('operation');
  switch (order.kind) {
    case 'reshare':
      if (String(plan.holders) !== String(order.participants) || plan.threshold !== order.threshold)
        throw refuse('holders');
      return;
    case 'repair':
      if (!plan.holders.includes(order.node)) throw refuse('holders');
      return;
    case 'import-key':
      assertWhole(plan, quorum);
      if (key.publicKey === null || Buffer.from(key.publicKey).toString('hex') !== order.publicKey)
        throw refuse('publicKey');
      return;
    case 'generate':
      assertWhole(plan, quorum);
      return;
    case 'refresh':
      return;
    default:
      throw refuse('operation');
  }
}

/** Asserts that a new key is held by all nodes: its coordinator does not choose them. */
function assertWhole(plan: Plan, { nodes, threshold }: WholeQuorum): void {
  if (String(plan.holders) !== String(nodes) || plan.threshold !== threshold) throw refuse('holders');
}

function decodeForwarded(bytes: Uint8Array): ForwardedRequest {
  try {
    return forwardedRequestSchema.parse(
      decodeCborObject(bytes, { maxBytes: MAX_FORWARDED_REQUEST_BYTES, maxDepth: MAX_DEPTH }),
    );
  } catch (error) {
    throw refuse('request', error);
  }
}

/** Reads what a forwarded request orders. @throws CeremonyError CEREMONY_PLAN_REFUSED */
function readForwarded({ method, target, body }: ForwardedRequest): CeremonyOrder {
  const match = ORDER_TARGET.exec(target);
  if (method !== 'POST' || match === null) throw refuse('request');
  return readOrder(match.slice(1), (schema) => {
    try {
      return schema.parse(parseJson(body, { maxBytes: MAX_FORWARDED_REQUEST_BYTES, maxDepth: MAX_DEPTH }));
    } catch (error) {
      throw refuse('request', error);
    }
  });
}

function refuse(reason: string, cause?: unknown): CeremonyError {
  return new CeremonyError(
    'CEREMONY_PLAN_REFUSED',
    "the plan is not what the client's request orders",
    { reason },
    cause,
  );
}
