import { randomBytes } from 'node:crypto';
import { attestationResponseSchema } from '../shared/api/bodies.ts';
import { parseResponse } from './responses.ts';
import { assertNonce, assertTrust } from './inputs.ts';
import { exchange } from './http-exchange.ts';
import { type NodeIdentity, type NodeTrust, verifyNodeIdentity } from './node-identity.ts';
import { openTls, parseNodeUrl, readPeerKey } from './tls-connection.ts';

export interface AttestOptions {
  /** `https://host:port`: nothing more. */
  readonly url: string;
  readonly trust: NodeTrust;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly clock?: () => number;
  /** Of 16 to 64 bytes, made for this question. Default: 32 random bytes. */
  readonly nonce?: Uint8Array;
  /** For one request and its answer. Default: 10 s. */
  readonly timeoutMs?: number;
}

export const DEFAULT_TIMEOUT_MS = 10_000;
const NONCE_BYTES = 32;
/** Of who has still to prove to be a node. A document takes half of that at most, in base64. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks a node for an attestation document with a fresh nonce and verifies it, over a connection whose TLS key the
 * document vouches for. Anybody may ask.
 *
 * @throws AttestationError, NodeRefusal
 * @throws TypeError for a url, trust or nonce of the wrong kind
 * @throws ClientError any code but AGGREGATION_FAILED
 */
export async function attestNode(options: AttestOptions): Promise<NodeIdentity> {
  const { url, trust, clock = Date.now, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const endpoint = parseNodeUrl(url);
  const nonce = options.nonce ?? randomBytes(NONCE_BYTES);
  assertNonce(nonce);
  assertTrust(trust);
  const socket = await openTls(endpoint);
  try {
    const tlsPublicKey = readPeerKey(socket);
    const answer = await exchange({
      method: 'POST',
      target: '/v1/attestation',
      authority: endpoint.authority,
      headers: { 'content-type': 'application/json', connection: 'close' },
      maxResponseBytes: MAX_ANSWER_BYTES,
      body: Buffer.from(JSON.stringify({ nonce: Buffer.from(nonce).toString('hex') })),
      timeoutMs,
      via: { createConnection: () => socket },
    });
    const { document } = parseResponse(answer, attestationResponseSchema);
    const documentBytes = new Uint8Array(Buffer.from(document, 'base64'));
    return verifyNodeIdentity({ documentBytes, nonce, tlsPublicKey, now: clock() }, trust);
  } finally {
    socket.destroy();
  }
}
