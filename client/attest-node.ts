import { randomBytes } from 'node:crypto';
import { attestationResponseSchema } from '../shared/api/bodies.ts';
import { parseResponse } from './responses.ts';
import { assertNonce, assertTrust } from './inputs.ts';
import { exchange } from './http-exchange.ts';
import { type NodeIdentity, type NodeTrust, verifyNodeIdentity } from './node-identity.ts';
import { openTls, parseNodeUrl, readPeerKey } from './tls-connection.ts';

/** Options of {@link attestNode}. */
export interface AttestOptions {
  /** Address of the node or of its parent, `https://host:port` without path or query. */
  readonly url: string;
  /** What the client knows beforehand about the node. */
  readonly trust: NodeTrust;
  /** Returns the time in milliseconds since 1970. Default: Date.now. */
  readonly clock?: () => number;
  /** Nonce of 16 to 64 bytes, made for this question. Default: 32 random bytes. */
  readonly nonce?: Uint8Array;
  /** Deadline of one request and its response, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
}

/** Default of {@link AttestOptions.timeoutMs}. */
export const DEFAULT_TIMEOUT_MS = 10_000;
const NONCE_BYTES = 32;
/** Maximum length in bytes of a response from a peer that has still to prove to be a node: a document in base64, twice. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks a node for an attestation document with a fresh nonce, and verifies the document and that it vouches for the TLS key
 * of the connection. No credentials are needed. Use `connectNode` to send requests afterwards.
 *
 * @throws AttestationError for a document that does not verify, or is not of the image and manifest in `trust`
 * @throws NodeRefusal with the node's own code
 * @throws ClientError any code but AGGREGATION_FAILED
 * @throws TypeError for a url, trust or nonce of the wrong kind; RangeError for `trust.pcrs` without PCR0, PCR1 and PCR2
 *
 * Source: AWS Nitro Enclaves User Guide, "Cryptographic attestation".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { attestNode } from '@holdfast-nodes/holdfast/client';
 *
 * const { document, binding } = await attestNode({
 *   url: 'https://node-1.example:8443',
 *   trust: {
 *     root: AWS_NITRO_ROOT_G1,
 *     pcrs: parsePcrFile(await readFile('pcr.json')),
 *     manifest: await readFile('manifest.json'),
 *   },
 * });
 * console.log(document.instanceId, binding.configuration); // i-0123456789abcdef0 1
 * ```
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
