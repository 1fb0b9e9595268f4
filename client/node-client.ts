import type { KeyObject } from 'node:crypto';
import type { z } from 'zod';
import type { ShareDestination } from '../shared/frost/index.ts';
import { signRequest } from '../shared/http-signature/index.ts';
import {
  type FrostRound1Response,
  frostRound1ResponseSchema,
  type FrostRound2Response,
  frostRound2ResponseSchema,
  type FrostRound2Request,
  healthResponseSchema,
  type KeyInfo,
  keysResponseSchema,
  type ShareImportResponse,
  shareImportResponseSchema,
  type ShareImportRequest,
  type SignResponse,
  signResponseSchema,
  type SignRequest,
} from '../shared/api/bodies.ts';
import { digestManifest } from '../shared/documents/manifest.ts';
import { parseResponse } from './responses.ts';
import { attestNode, type AttestOptions, DEFAULT_TIMEOUT_MS } from './attest-node.ts';
import { ClientError, NodeRefusal } from './errors.ts';
import { Semaphore } from './semaphore.ts';
import { exchange, type HttpResponse } from './http-exchange.ts';
import { assertPayload, assertSigningKey, assertTrust } from './inputs.ts';
import type { NodeIdentity, NodeTrust } from './node-identity.ts';
import { type Endpoint, parseNodeUrl, NodeAgent } from './tls-connection.ts';

export interface NodeClientOptions extends AttestOptions {
  /** This client's id in the node's configuration. */
  readonly clientId: string;
  /** Its Ed25519 private key. */
  readonly privateKey: KeyObject;
  /** How many requests may be under way at once; others wait. Default: 64. */
  readonly maxConnections?: number;
}

/** Seals a share for the node as it is now: called again if the node restarts in between. */
export type SealForNode = (importKey: Uint8Array, destination: ShareDestination) => ShareImportRequest;

interface Connected {
  readonly identity: NodeIdentity;
  readonly agent: NodeAgent;
}

interface SignedCall<T> {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly target: string;
  readonly answer: z.ZodType<T>;
  readonly body?: (identity: NodeIdentity) => object;
}

const DEFAULT_CONNECTIONS = 64;
/** A thousand keys with room to spare. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const JSON_TYPE = 'application/json';

/**
 * Connects to a node: verifies its attestation document over a connection whose TLS key the document vouches for.
 *
 * @throws AttestationError, ClientError, NodeRefusal
 * @throws TypeError for options of the wrong kind: a PEM as root, a key that is no KeyObject
 */
export async function connectNode(options: NodeClientOptions): Promise<NodeClient> {
  const client = new NodeClient(options);
  await client.attest();
  return client;
}

/**
 * A client of one policy node. Nothing is sent but to the attested TLS key, and when the node has restarted, which
 * changes that key, it is attested again before the request goes out anew.
 */
export class NodeClient {
  readonly #options: NodeClientOptions;
  readonly #endpoint: Endpoint;
  readonly #requests: Semaphore;
  #connected: Promise<Connected> | undefined;
  /** The newest configuration that this client has seen in force: none that is older is taken any more. */
  #newestConfiguration = 1;

  constructor(options: NodeClientOptions) {
    assertTrust(options.trust);
    assertSigningKey(options.privateKey);
    this.#options = options;
    this.#endpoint = parseNodeUrl(options.url);
    this.#requests = new Semaphore(options.maxConnections ?? DEFAULT_CONNECTIONS);
  }

  /** Verifies the node anew, whatever is known of it. @throws AttestationError, ClientError, NodeRefusal */
  async attest(): Promise<NodeIdentity> {
    return (await this.#renew(this.#connected)).identity;
  }

  /** Whether it serves. */
  async health(): Promise<z.infer<typeof healthResponseSchema>> {
    return await this.#call({ method: 'GET', target: '/v1/health', answer: healthResponseSchema });
  }

  /** The keys that the node's configuration names. */
  async keys(): Promise<readonly KeyInfo[]> {
    return (await this.describeKeys()).keys;
  }

  /** The keys that the node's configuration names, and how full its store is. */
  async describeKeys(): Promise<z.infer<typeof keysResponseSchema>> {
    return await this.#call({ method: 'GET', target: '/v1/keys', answer: keysResponseSchema });
  }

  /** @throws TypeError for a payload that is not hex as the node takes it */
  async sign(request: SignRequest): Promise<SignResponse> {
    assertPayload(request.payload);
    return await this.#call({
      method: 'POST',
      target: '/v1/sign',
      answer: signResponseSchema,
      body: () => request,
    });
  }

  /** Hands the node its share of a group's key, sealed to the import key that its document binds. */
  async importShare(key: string, seal: SealForNode): Promise<ShareImportResponse> {
    const manifest = digestManifest(this.#options.trust.manifest);
    return await this.#call({
      method: 'PUT',
      target: `/v1/keys/${key}/share`,
      answer: shareImportResponseSchema,
      body: ({ binding: { session, importKey } }) =>
        seal(Buffer.from(importKey, 'hex'), { manifest, session, key }),
    });
  }

  async frostRound1(key: string): Promise<FrostRound1Response> {
    return await this.#call({
      method: 'POST',
      target: '/v1/frost/round1',
      answer: frostRound1ResponseSchema,
      body: () => ({ key }),
    });
  }

  async frostRound2(request: FrostRound2Request): Promise<FrostRound2Response> {
    assertPayload(request.payload);
    return await this.#call({
      method: 'POST',
      target: '/v1/frost/round2',
      answer: frostRound2ResponseSchema,
      body: () => request,
    });
  }

  /** Closes the connections. */
  close(): void {
    const connected = this.#connected;
    this.#connected = undefined;
    connected?.then(
      ({ agent }) => agent.destroy(),
      () => {},
    );
  }

  async #call<T>(call: SignedCall<T>): Promise<T> {
    const before = this.#connected ?? this.#renew(undefined);
    try {
      return await this.#attempt(await before, call);
    } catch (error) {
      if (!isOfAnotherBoot(error)) throw error;
    }
    return await this.#attempt(await this.#renew(before), call);
  }

  /** Attests again, unless another call has done so since `before`. */
  #renew(before: Promise<Connected> | undefined): Promise<Connected> {
    if (this.#connected !== undefined && this.#connected !== before) return this.#connected;
    const renewed = this.#connect(before);
    this.#connected = renewed;
    renewed.catch(() => {
      if (this.#connected === renewed) this.#connected = undefined;
    });
    return renewed;
  }

  async #connect(before: Promise<Connected> | undefined): Promise<Connected> {
    const agent = (await before?.catch(() => undefined))?.agent;
    let identity: NodeIdentity | undefined;
    try {
      identity = await attestNode({ ...this.#options, trust: this.#narrowTrust() });
      this.#newestConfiguration = identity.binding.configuration;
      // The same key is the same boot, whose connections serve on.
      if (agent?.isPinnedTo(identity.tlsPublicKey)) return { identity, agent };
      return { identity, agent: new NodeAgent(this.#endpoint, identity.tlsPublicKey) };
    } finally {
      if (identity === undefined || !agent?.isPinnedTo(identity.tlsPublicKey)) agent?.destroy();
    }
  }

  #narrowTrust(): NodeTrust {
    const { trust } = this.#options;
    const oldestConfiguration = Math.max(trust.oldestConfiguration ?? 1, this.#newestConfiguration);
    return { ...trust, oldestConfiguration };
  }

  async #attempt<T>({ identity, agent }: Connected, call: SignedCall<T>): Promise<T> {
    const { clientId, privateKey, clock = Date.now, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const { method, target } = call;
    const bytes = call.body && Buffer.from(JSON.stringify(call.body(identity)));
    const body = bytes && { bytes, contentType: JSON_TYPE };
    const headers = signRequest(
      { method, target, ...(body && { body }) },
      { clientId, privateKey, session: identity.binding.session, now: clock() },
    );
    const send = () =>
      exchange({
        method,
        target,
        authority: this.#endpoint.authority,
        headers,
        ...(bytes && { body: bytes }),
        maxResponseBytes: MAX_ANSWER_BYTES,
        timeoutMs,
        via: { agent },
      });
    return parseResponse(await this.#requests.run(() => sendWithRetry(send)), call.answer);
  }
}

/**
 * Sends a request, and the very same one again when the connection broke: an idle connection may be closed just as it
 * is used. The node takes a signed request once, so it carries out one of the two.
 *
 * @throws ClientError ANSWER_LOST where it was the first
 */
async function sendWithRetry(send: () => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'ANSWER_LOST')) throw error;
    const answer = await send().catch(() => undefined);
    // Whatever a signature is refused for the second time, the first may have been taken.
    if (answer === undefined || answer.status === 401) throw error;
    return answer;
  }
}

/** Both are said before anything is carried out. */
function isOfAnotherBoot(error: unknown): boolean {
  return (
    (error instanceof ClientError && error.code === 'TLS_KEY_MISMATCH') ||
    (error instanceof NodeRefusal && error.code === 'SESSION_MISMATCH')
  );
}
