import { type KeyObject, randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { type ShareDestination } from '../shared/frost/index.ts';
import { signRequest } from '../shared/http-signature/index.ts';
import { parseJson } from '../shared/json/index.ts';
import {
  attestationAnswerSchema,
  errorAnswerSchema,
  type FrostRound1Answer,
  frostRound1AnswerSchema,
  type FrostRound2Answer,
  frostRound2AnswerSchema,
  type FrostRound2Request,
  healthAnswerSchema,
  type KeyInfo,
  keysAnswerSchema,
  type ShareImportAnswer,
  shareImportAnswerSchema,
  type ShareImportRequest,
  type SignAnswer,
  signAnswerSchema,
  type SignRequest,
} from '../shared/node/api.ts';
import { digestManifest } from '../shared/node/manifest.ts';
import { ClientError, NodeRefusal } from './errors.ts';
import { Gate } from './gate.ts';
import { exchange, type HttpAnswer } from './http-exchange.ts';
import { type NodeIdentity, type NodeTrust, verifyNodeIdentity } from './node-identity.ts';
import { type Endpoint, openTls, PinnedAgent, readPeerKey } from './tls-connection.ts';

export interface NodeClientOptions {
  /** `https://host:port`: nothing more. */
  readonly url: string;
  readonly trust: NodeTrust;
  /** This client's id in the node's configuration. */
  readonly clientId: string;
  /** Its Ed25519 private key. */
  readonly privateKey: KeyObject;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly clock?: () => number;
  /** For one request and its answer. Default: 10 s. */
  readonly timeoutMs?: number;
  /** How many requests may be under way at once; others wait. Default: 64. */
  readonly maxConnections?: number;
}

/** Seals a share for the node as it is now: called again if the node restarts in between. */
export type SealForNode = (importKey: Uint8Array, destination: ShareDestination) => ShareImportRequest;

interface Connected {
  readonly identity: NodeIdentity;
  readonly agent: PinnedAgent;
}

interface SignedCall<T> {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly target: string;
  readonly answer: z.ZodType<T>;
  readonly body?: (identity: NodeIdentity) => object;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_CONNECTIONS = 64;
const NONCE_BYTES = 32;
const MAX_JSON_BYTES = 1024 * 1024;
const JSON_TYPE = 'application/json';

/**
 * Connects to a node: verifies its attestation document over a connection whose TLS key the document vouches for.
 *
 * @throws AttestationError, ClientError, NodeRefusal
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
  readonly #host: string;
  readonly #gate: Gate;
  #connected: Promise<Connected> | undefined;

  constructor(options: NodeClientOptions) {
    const url = new URL(options.url);
    if (url.protocol !== 'https:' || url.origin !== options.url.replace(/\/$/, '')) {
      throw new TypeError('the url of a node is https://host:port');
    }
    this.#options = options;
    this.#host = url.host;
    this.#gate = new Gate(options.maxConnections ?? DEFAULT_CONNECTIONS);
    this.#endpoint = {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 443 : Number(url.port),
    };
  }

  /** Verifies the node anew, whatever is known of it. @throws AttestationError, ClientError, NodeRefusal */
  async attest(): Promise<NodeIdentity> {
    return (await this.#renew(this.#connected)).identity;
  }

  /** Whether it serves. */
  async health(): Promise<z.infer<typeof healthAnswerSchema>> {
    return await this.#call({ method: 'GET', target: '/v1/health', answer: healthAnswerSchema });
  }

  /** The keys that the node's configuration names. */
  async keys(): Promise<readonly KeyInfo[]> {
    return (await this.#call({ method: 'GET', target: '/v1/keys', answer: keysAnswerSchema })).keys;
  }

  async sign(request: SignRequest): Promise<SignAnswer> {
    return await this.#call({
      method: 'POST',
      target: '/v1/sign',
      answer: signAnswerSchema,
      body: () => request,
    });
  }

  /** Hands the node its share of a group's key, sealed to the import key that its document binds. */
  async importShare(key: string, seal: SealForNode): Promise<ShareImportAnswer> {
    const manifest = digestManifest(this.#options.trust.manifest);
    return await this.#call({
      method: 'PUT',
      target: `/v1/keys/${key}/share`,
      answer: shareImportAnswerSchema,
      body: ({ binding: { session, importKey } }) =>
        seal(Buffer.from(importKey, 'hex'), { manifest, session, key }),
    });
  }

  async frostRound1(key: string): Promise<FrostRound1Answer> {
    return await this.#call({
      method: 'POST',
      target: '/v1/frost/round1',
      answer: frostRound1AnswerSchema,
      body: () => ({ key }),
    });
  }

  async frostRound2(request: FrostRound2Request): Promise<FrostRound2Answer> {
    return await this.#call({
      method: 'POST',
      target: '/v1/frost/round2',
      answer: frostRound2AnswerSchema,
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
    const identity = await this.#identify();
    // The same key is the same boot, whose connections serve on.
    if (agent?.isPinnedTo(identity.tlsPublicKey)) return { identity, agent };
    agent?.destroy();
    return { identity, agent: new PinnedAgent(this.#endpoint, identity.tlsPublicKey) };
  }

  async #identify(): Promise<NodeIdentity> {
    const { clock = Date.now, trust } = this.#options;
    const nonce = randomBytes(NONCE_BYTES);
    const socket = await openTls(this.#endpoint);
    try {
      const tlsPublicKey = readPeerKey(socket);
      const answer = await exchange({
        method: 'POST',
        target: '/v1/attestation',
        host: this.#host,
        headers: { 'content-type': JSON_TYPE, connection: 'close' },
        body: Buffer.from(JSON.stringify({ nonce: nonce.toString('hex') })),
        timeoutMs: this.#timeoutMs,
        via: { createConnection: () => socket },
      });
      const { document } = parseAnswer(answer, attestationAnswerSchema);
      const documentBytes = new Uint8Array(Buffer.from(document, 'base64'));
      return verifyNodeIdentity({ documentBytes, nonce, tlsPublicKey, now: clock() }, trust);
    } finally {
      socket.destroy();
    }
  }

  async #attempt<T>({ identity, agent }: Connected, call: SignedCall<T>): Promise<T> {
    const { clientId, privateKey, clock = Date.now } = this.#options;
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
        host: this.#host,
        headers,
        ...(bytes && { body: bytes }),
        timeoutMs: this.#timeoutMs,
        via: { agent },
      });
    return parseAnswer(await this.#gate.run(() => sendOnce(send)), call.answer);
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }
}

/**
 * Sends a request, and the very same one again when the connection broke: an idle connection may be closed just as it
 * is used. The node takes a signed request once, so it carries out one of the two.
 *
 * @throws ClientError ANSWER_LOST where it was the first
 */
async function sendOnce(send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
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

function parseAnswer<T>(answer: HttpAnswer, schema: z.ZodType<T>): T {
  if (answer.status !== 200) {
    const { status } = answer;
    throw new NodeRefusal(readRefusal(answer), 'the node refuses', { status });
  }
  return parseBody(answer, schema);
}

function readRefusal(answer: HttpAnswer): string {
  return parseBody(answer, errorAnswerSchema).error;
}

function parseBody<T>({ status, body }: HttpAnswer, schema: z.ZodType<T>): T {
  try {
    return schema.parse(parseJson(body, { maxBytes: MAX_JSON_BYTES, maxDepth: 8 }));
  } catch (cause) {
    throw new ClientError('ANSWER_MALFORMED', 'not an answer of a node', { status }, cause);
  }
}
