import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { MAX_SIGN_REQUEST_BYTES } from '../../shared/api/bodies.ts';
import { signRequest } from '../../shared/http-signature/index.ts';
import type { TestNode } from '../testbed/index.ts';
import { codeOf, type RawRequest, sendRaw } from './raw-request.ts';
import { CLIENT } from '../testbed/scenario.ts';

const TARGET = '/v1/sign';
const CONTENT_TYPE = 'application/json';

/** Node that serves, as its clients and its attackers see it. */
export interface ServingNode {
  readonly testNode: TestNode;
  readonly url: string;
  readonly session: string;
}

/** Request that must be refused, with the code of the refusal. */
export interface RequestAttack {
  readonly attack: string;
  readonly code: string;
  readonly attempt: (node: ServingNode) => Promise<string>;
}

const DIGEST = '11'.repeat(32);
const GOOD = {
  key: 'ethereum-hot',
  algorithm: 'ecdsa-secp256k1',
  payload: { kind: 'digest', digest: DIGEST },
};

interface Signing {
  readonly body?: unknown;
  readonly privateKey?: KeyObject;
  readonly clientId?: string;
  readonly session?: string;
  readonly ageMs?: number;
}

/** Signs a request as a client would, except for the parts that `changes` gives otherwise. */
export function makeRequest(
  { testNode, session }: ServingNode,
  signing: Signing = {},
): RawRequest & { body: Buffer } {
  const body = Buffer.from(JSON.stringify(signing.body ?? GOOD));
  const headers = signRequest(
    { method: 'POST', target: TARGET, body: { bytes: body, contentType: CONTENT_TYPE } },
    {
      clientId: signing.clientId ?? CLIENT,
      privateKey: signing.privateKey ?? testNode.client.privateKey,
      session: signing.session ?? session,
      now: Date.now() - (signing.ageMs ?? 0),
    },
  );
  return { method: 'POST', target: TARGET, headers, body };
}

async function send(node: ServingNode, request: RawRequest): Promise<string> {
  return codeOf(await sendRaw(node.url, request));
}
const refusedBody = (attack: string, code: string, body: unknown): RequestAttack => ({
  attack,
  code,
  attempt: (node) => send(node, makeRequest(node, { body })),
});

/** Attacks of anybody who reaches a serving node. */
export const REQUEST_ATTACKS: readonly RequestAttack[] = [
  {
    attack: 'a request without a signature',
    code: 'SIGNATURE_MISSING',
    attempt: (node) => {
      const { body } = makeRequest(node);
      return send(node, { method: 'POST', target: TARGET, headers: { 'content-type': CONTENT_TYPE }, body });
    },
  },
  {
    attack: "a request signed by another key under the client's name",
    code: 'SIGNATURE_INVALID',
    attempt: (node) =>
      send(node, makeRequest(node, { privateKey: generateKeyPairSync('ed25519').privateKey })),
  },
  {
    attack: 'a request of a client that the configuration does not know',
    code: 'CLIENT_UNKNOWN',
    attempt: (node) => send(node, makeRequest(node, { clientId: 'mallory' })),
  },
  {
    attack: 'a body altered after it was signed',
    code: 'DIGEST_MISMATCH',
    attempt: (node) => {
      const request = makeRequest(node);
      const body = Buffer.from(request.body.toString().replace(DIGEST, '22'.repeat(32)));
      return send(node, { ...request, body });
    },
  },
  {
    attack: 'a request sent twice',
    code: 'SIGNATURE_REPLAYED',
    attempt: async (node) => {
      const request = makeRequest(node);
      const first = await send(node, request);
      return first === 'HTTP 200' ? send(node, request) : first;
    },
  },
  {
    attack: 'a request kept back for two minutes',
    code: 'SIGNATURE_EXPIRED',
    attempt: (node) => send(node, makeRequest(node, { ageMs: 120_000 })),
  },
  {
    attack: 'a request recorded before the node restarted, or meant for another node',
    code: 'SESSION_MISMATCH',
    attempt: (node) => send(node, makeRequest(node, { session: '00'.repeat(16) })),
  },
  refusedBody('a key that the configuration does not name', 'UNKNOWN_KEY', { ...GOOD, key: 'treasury' }),
  refusedBody('an algorithm that no rule allows for this key', 'POLICY_DENIED', {
    ...GOOD,
    algorithm: 'bip340',
  }),
  refusedBody('an algorithm of another type of key', 'ALGORITHM_MISMATCH', { ...GOOD, algorithm: 'ed25519' }),
  refusedBody('a kind of payload that no rule allows', 'POLICY_DENIED', {
    ...GOOD,
    payload: { kind: 'message', message: '00' },
  }),
  refusedBody('a request that lacks the field a rule needs', 'REQUEST_MALFORMED', {
    key: GOOD.key,
    algorithm: GOOD.algorithm,
    payload: { digest: DIGEST },
  }),
  refusedBody('a field that nobody knows', 'REQUEST_MALFORMED', { ...GOOD, approved: true }),
  {
    attack: 'a body of more than 256 KiB',
    code: 'REQUEST_TOO_LARGE',
    attempt: (node) => {
      const { body, headers, ...request } = makeRequest(node, {
        body: { ...GOOD, padding: 'x'.repeat(MAX_SIGN_REQUEST_BYTES) },
      });
      // The node answers by the head and hangs up: who goes on sending may lose the answer on the way.
      const announced = { ...headers, 'content-length': String(body.length) };
      return send(node, { ...request, headers: announced, body: body.subarray(0, 16) });
    },
  },
  {
    attack: 'a path that does not exist',
    code: 'NOT_FOUND',
    attempt: (node) => send(node, { method: 'GET', target: '/v1/secrets' }),
  },
];
