import type { KeyObject } from 'node:crypto';
import type { z } from 'zod';
import type { ShareDestination } from '../shared/frost/index.ts';
import { signRequest } from '../shared/http-signature/index.ts';
import {
  healthResponseSchema,
  type KeyInfo,
  keysResponseSchema,
  type ShareImportRequest,
  type SignRequest,
  type ExplainResponse,
  explainResponseSchema,
} from '../shared/api/bodies.ts';
import {
  MAX_REQUEST_LIST_BYTES,
  requestListSchema,
  type RequestSummary,
  requestSummarySchema,
} from '../shared/api/requests.ts';
import { digestManifest } from '../shared/documents/manifest.ts';
import type { VerifiedReceipt } from '../audit/receipt/index.ts';
import {
  parseResponse,
  type ShareImported,
  shareImportedSchema,
  type Signed,
  signedSchema,
} from './responses.ts';
import { attestNode, type AttestOptions, DEFAULT_TIMEOUT_MS } from './attest-node.ts';
import { ClientError, NodeRefusal } from './errors.ts';
import { Semaphore } from './semaphore.ts';
import type { SignedCall } from './signed-call.ts';
import { exchange, type HttpResponse } from './http-exchange.ts';
import { assertPayload, assertRequestId, assertSigningKey, assertTrust } from './inputs.ts';
import type { NodeIdentity, NodeTrust } from './node-identity.ts';
import { NodePools } from './node-pools.ts';
import { NodeQuorum } from './node-quorum.ts';
import { NodeRecovery } from './node-recovery.ts';
import { type Decided, verifyResponseReceipt } from './receipts.ts';
import { type Endpoint, parseNodeUrl, NodeAgent } from './tls-connection.ts';

/** Options of {@link connectNode}. */
export interface NodeClientOptions extends AttestOptions {
  /** The client's id in the node's configuration. */
  readonly clientId: string;
  /** Ed25519 private key that signs the client's requests; the configuration holds its public key. */
  readonly privateKey: KeyObject;
  /** Maximum number of requests under way at once; further requests wait. Default: 64. */
  readonly maxConnections?: number;
}

/** Function that seals a share for one boot of a node: called again if the node restarts before the import. */
export type SealForNode = (importKey: Uint8Array, destination: ShareDestination) => ShareImportRequest;

interface Connected {
  readonly identity: NodeIdentity;
  readonly agent: NodeAgent;
}

const DEFAULT_CONNECTIONS = 64;
/** Maximum length of a response in bytes: room for a description of a thousand keys, and for a receipt of 256 KiB. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const JSON_TYPE = 'application/json';

/**
 * Connects to a node: verifies its attestation document over a connection whose TLS key the document vouches for, before
 * anything else is sent.
 *
 * @throws AttestationError for a document that does not verify, or is not of the image and manifest in `trust`
 * @throws ClientError any code but AGGREGATION_FAILED
 * @throws NodeRefusal with the node's own code
 * @throws TypeError for options of the wrong kind, such as a PEM as root; RangeError for `trust.pcrs` without PCR0 to PCR2
 *
 * Source: AWS Nitro Enclaves User Guide, "Cryptographic attestation"; shared/http-signature/SPEC.md (RFC 9421).
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode } from '@holdfast-nodes/holdfast/client';
 *
 * const node = await connectNode({
 *   url: 'https://node-1.example:8443',
 *   trust: {
 *     root: AWS_NITRO_ROOT_G1,
 *     pcrs: parsePcrFile(await readFile('pcr.json')),
 *     manifest: await readFile('manifest.json'),
 *   },
 *   clientId: 'backend',
 *   privateKey: createPrivateKey(await readFile('client.pem')),
 * });
 * const { signature } = await node.sign({
 *   key: 'ethereum-hot',
 *   algorithm: 'ecdsa-secp256k1',
 *   payload: { kind: 'digest', digest: '5e'.repeat(32) },
 * });
 * console.log(signature.length); // 128
 * node.close();
 * ```
 */
export async function connectNode(options: NodeClientOptions): Promise<NodeClient> {
  const client = new NodeClient(options);
  await client.attest();
  return client;
}

/**
 * A client of one policy node. Requests are sent only over connections that end with the attested TLS key. A restart changes
 * the node's key: the client attests the node again, with the same expectations, before it repeats the request.
 *
 * Every method but `close` throws NodeRefusal, ClientError (any code but AGGREGATION_FAILED) and, after a restart,
 * AttestationError.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode } from '@holdfast-nodes/holdfast/client';
 *
 * const node = await connectNode({
 *   url: 'https://node-1.example:8443',
 *   trust: {
 *     root: AWS_NITRO_ROOT_G1,
 *     pcrs: parsePcrFile(await readFile('pcr.json')),
 *     manifest: await readFile('manifest.json'),
 *   },
 *   clientId: 'backend',
 *   privateKey: createPrivateKey(await readFile('client.pem')),
 * });
 * const id = '0f'.repeat(16); // details.id of APPROVALS_NEEDED, kept until people have approved the request
 * const { signature, rule } = await node.resume(id);
 * console.log(signature.length, rule); // 128 any
 * node.close();
 * ```
 */
export class NodeClient {
  /** Ceremonies of the quorum and their progress, by this node. */
  readonly quorum: NodeQuorum;
  /** Keys that clients have the node make while it runs. */
  readonly pools: NodePools;
  /** Backups of the node's keys. */
  readonly recovery: NodeRecovery;
  readonly #options: NodeClientOptions;
  readonly #endpoint: Endpoint;
  readonly #requests: Semaphore;
  #connected: Promise<Connected> | undefined;
  /** Version of the newest configuration that this client has seen in force; an older one is refused from then on. */
  #newestConfiguration = 1;

  constructor(options: NodeClientOptions) {
    assertTrust(options.trust);
    assertSigningKey(options.privateKey);
    this.#options = options;
    this.#endpoint = parseNodeUrl(options.url);
    this.#requests = new Semaphore(options.maxConnections ?? DEFAULT_CONNECTIONS);
    this.pools = new NodePools({ call: (call) => this.#call(call) });
    this.recovery = new NodeRecovery({ call: (call) => this.#call(call) });
    this.quorum = new NodeQuorum({
      call: (call) => this.#call(call),
      manifest: options.trust.manifest,
    });
  }

  /** Attests the node anew, with a fresh nonce on a fresh connection. @throws AttestationError, ClientError, NodeRefusal */
  async attest(): Promise<NodeIdentity> {
    return (await this.#renew(this.#connected)).identity;
  }

  /** Asks whether the node serves (`GET /v1/health`). */
  async health(): Promise<z.infer<typeof healthResponseSchema>> {
    return await this.#call({ method: 'GET', target: '/v1/health', answer: healthResponseSchema });
  }

  /** Lists the keys that the node's configuration names. */
  async keys(): Promise<readonly KeyInfo[]> {
    return (await this.describeKeys()).keys;
  }

  /** Lists the keys that the node's configuration names, and the usage of its store in records (`GET /v1/keys`). */
  async describeKeys(): Promise<z.infer<typeof keysResponseSchema>> {
    return await this.#call({ method: 'GET', target: '/v1/keys', answer: keysResponseSchema });
  }

  /**
   * Signs with one key, where the node's policy allows it (`POST /v1/sign`).
   *
   * @param request the payload in lower-case hex without 0x
   * @returns the signature in hex, `recovery` for ECDSA over secp256k1, `inputs` for a PSBT, and the receipt
   * @throws TypeError for a payload that is not hex as the node takes it
   * @throws ClientError APPROVALS_NEEDED where the request now waits for approvals: {@link resume} carries it out
   */
  async sign(request: SignRequest): Promise<Signed> {
    assertPayload(request.payload);
    return await this.#call({
      method: 'POST',
      target: '/v1/sign',
      answer: signedSchema,
      body: () => request,
    });
  }

  /**
   * Asks what the node would decide on a request to sign (`POST /v1/explain`): nothing is signed, counted or recorded.
   *
   * @throws TypeError for a payload that is not hex as the node takes it
   * @throws NodeRefusal with the code of the decoder for a transaction that cannot be read
   */
  async explain(request: SignRequest): Promise<ExplainResponse> {
    assertPayload(request.payload);
    return await this.#call({
      method: 'POST',
      target: '/v1/explain',
      answer: explainResponseSchema,
      body: () => request,
    });
  }

  /** Lists the client's requests that wait, were rejected, or were carried out, the oldest first (`GET /v1/requests`). */
  async listRequests(): Promise<readonly RequestSummary[]> {
    const { requests } = await this.#call({
      method: 'GET',
      target: '/v1/requests',
      answer: requestListSchema,
      maxAnswerBytes: MAX_REQUEST_LIST_BYTES,
    });
    return requests;
  }

  /**
   * Asks for the state of one of the client's requests (`GET /v1/requests/{id}`).
   *
   * @throws TypeError for an id that is not 32 hex digits
   */
  async getRequest(id: string): Promise<RequestSummary> {
    assertRequestId(id);
    return await this.#call({ method: 'GET', target: `/v1/requests/${id}`, answer: requestSummarySchema });
  }

  /**
   * Carries out a request that waited and is approved (`POST /v1/requests/{id}`). Until the request expires, further calls
   * give the same signatures again.
   *
   * @returns what {@link sign} returns
   * @throws TypeError for an id that is not 32 hex digits
   * @throws ClientError APPROVALS_NEEDED where approvals are still missing
   */
  async resume(id: string): Promise<Signed> {
    assertRequestId(id);
    return await this.#call({
      method: 'POST',
      target: `/v1/requests/${id}`,
      answer: signedSchema,
      body: () => ({}),
    });
  }

  /**
   * Verifies the receipt of a response to this client: {@link verifyResponseReceipt} with the identity that the node has
   * proved last.
   *
   * @throws ReceiptError RECEIPT_OTHER_BOOT where the node has restarted since
   */
  async verifyReceipt(request: SignRequest, response: Decided): Promise<VerifiedReceipt> {
    const { clientId, trust } = this.#options;
    const { identity } = await (this.#connected ?? this.#renew(undefined));
    const { manifest } = trust;
    return verifyResponseReceipt(response, { identity, manifest, request: { ...request, client: clientId } });
  }

  /**
   * Imports a share of a group's key, sealed to the import key that the node's document binds
   * (`PUT /v1/keys/{key}/share`).
   *
   * @param key the id of the share in the node's configuration
   */
  async importShare(key: string, seal: SealForNode): Promise<ShareImported> {
    const manifest = digestManifest(this.#options.trust.manifest);
    return await this.#call({
      method: 'PUT',
      target: `/v1/keys/${key}/share`,
      answer: shareImportedSchema,
      body: ({ binding: { session, importKey } }) =>
        seal(Buffer.from(importKey, 'hex'), { manifest, session, key }),
    });
  }

  /** Closes the connections; requests under way fail with ANSWER_LOST. */
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
      // The same TLS key means the same boot: its connections stay open.
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
        maxResponseBytes: call.maxAnswerBytes ?? MAX_ANSWER_BYTES,
        timeoutMs,
        via: { agent },
      });
    return parseResponse(await this.#requests.run(() => sendWithRetry(send)), call.answer);
  }
}

/**
 * Sends a request, and sends the same request once more when the connection broke, since an idle connection may be closed
 * just as it is used. The node accepts a signed request once, so the two sendings are carried out at most once.
 *
 * @throws ClientError ANSWER_LOST when the second sending shows neither a response nor whether the first was carried out
 */
async function sendWithRetry(send: () => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'ANSWER_LOST')) throw error;
    const answer = await send().catch(() => undefined);
    // A 401 to the second sending may mean a replay: the first may have been carried out.
    if (answer === undefined || answer.status === 401) throw error;
    return answer;
  }
}

/** Whether an error shows a restart of the node. Each of these refusals comes before the request is carried out. */
function isOfAnotherBoot(error: unknown): boolean {
  return (
    (error instanceof ClientError && error.code === 'TLS_KEY_MISMATCH') ||
    (error instanceof NodeRefusal && error.code === 'SESSION_MISMATCH')
  );
}
