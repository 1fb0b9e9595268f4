import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { receiptSchema } from '../audit/receipt/receipt.ts';
import {
  ciphertextResponseSchema,
  type CreatePoolKeyRequest,
  type DataKeyRequest,
  type DecryptRequest,
  type DeriveSecretRequest,
  type EncryptRequest,
  type MacRequest,
  macResponseSchema,
  MAX_POOL_LIST_BYTES,
  plaintextResponseSchema,
  type PoolKey,
  type PoolKeyChange,
  poolKeyIdSchema,
  poolKeyResponseSchema,
  poolKeySchema,
  type PoolList,
  poolListSchema,
  randomResponseSchema,
  type ReEncryptRequest,
  secretResponseSchema,
  type VerifyMacRequest,
  verifyMacResponseSchema,
} from '../shared/api/pool-keys.ts';
import type { SignedCall } from './signed-call.ts';

/** The member of every response to a request that was decided. */
const decided = { receipt: receiptSchema.optional() };

const keySchema = poolKeyResponseSchema.extend(decided);
/** A key as it is after a creation or a change, the rule that permitted it, and the receipt. */
export type DecidedPoolKey = z.infer<typeof keySchema>;
const ciphertextSchema = ciphertextResponseSchema.extend(decided);
/** A ciphertext in hex, the data key in hex where it was asked for, the rule, and the receipt. */
export type Ciphertext = z.infer<typeof ciphertextSchema>;
const plaintextSchema = plaintextResponseSchema.extend(decided);
/** A plaintext in hex, the rule that permitted its decryption, and the receipt. */
export type Plaintext = z.infer<typeof plaintextSchema>;
const macSchema = macResponseSchema.extend(decided);
/** An HMAC in hex, the rule, and the receipt. */
export type Mac = z.infer<typeof macSchema>;
const verifyMacSchema = verifyMacResponseSchema.extend(decided);
/** Whether an HMAC is that of the message under the key, the rule, and the receipt. */
export type VerifiedMac = z.infer<typeof verifyMacSchema>;
const secretSchema = secretResponseSchema.extend(decided);
/** The x-coordinate of the shared point in hex, the rule, and the receipt. */
export type SharedSecret = z.infer<typeof secretSchema>;

/** Parts of a node's client that {@link NodePools} asks by. */
export interface NodePoolsParts {
  readonly call: <T>(call: SignedCall<T>) => Promise<T>;
}

const TOKEN_BYTES = 16;

/**
 * Keys that clients have a node make while it runs, in pools of its configuration. `NodeClient.sign` signs with them, by
 * their id. Every method throws what those of NodeClient do, and TypeError for an id that is no UUID; a request that a rule
 * permits and that cannot be carried out is a NodeRefusal with the node's code too: KEY_DISABLED, CIPHERTEXT_INVALID.
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
 * const { key } = await node.pools.create('canton', {
 *   type: 'p256',
 *   usage: 'sign',
 *   description: 'participant-namespace',
 *   tags: [],
 * });
 * const { signature } = await node.sign({
 *   key: key.id,
 *   algorithm: 'ecdsa-p256-sha256',
 *   payload: { kind: 'message', message: '1220'.padEnd(68, '0') },
 * });
 * console.log(key.state, signature.length); // enabled 128
 * node.close();
 * ```
 */
export class NodePools {
  readonly #call: NodePoolsParts['call'];

  constructor({ call }: NodePoolsParts) {
    this.#call = call;
  }

  /** Lists pools that the client sees, their keys, and keys of the configuration that permits name (`GET /v1/pools`). */
  async list(): Promise<PoolList> {
    const maxAnswerBytes = MAX_POOL_LIST_BYTES;
    return await this.#call({ method: 'GET', target: '/v1/pools', answer: poolListSchema, maxAnswerBytes });
  }

  /** Describes a key (`GET /v1/pool-keys/{id}`). @throws NodeRefusal POOL_KEY_UNKNOWN */
  async describe(id: string): Promise<PoolKey> {
    return await this.#call({ method: 'GET', target: targetOf(id), answer: poolKeySchema });
  }

  /**
   * Makes a key (`POST /v1/pools/{pool}/keys`).
   *
   * @param request `token`, 16 to 32 bytes in hex, makes a creation that is repeated one: the same token with the same
   * request gives the same key; drawn anew where it is left out
   */
  async create(
    pool: string,
    request: Omit<CreatePoolKeyRequest, 'token'> & { readonly token?: string },
  ): Promise<DecidedPoolKey> {
    const body: CreatePoolKeyRequest = { token: randomBytes(TOKEN_BYTES).toString('hex'), ...request };
    return await this.#post(`/v1/pools/${pool}/keys`, body, keySchema);
  }

  /**
   * Changes description, tags, aliases or state of a key, or orders its deletion (`POST /v1/pool-keys/{id}/changes`).
   *
   * @returns the key as it is afterwards
   */
  async change(id: string, change: PoolKeyChange): Promise<DecidedPoolKey> {
    return await this.#post(targetOf(id, '/changes'), change, keySchema);
  }

  /** Encrypts up to 4,096 bytes, or what RSAES-OAEP has room for (`POST /v1/pool-keys/{id}/encrypt`). */
  async encrypt(id: string, request: EncryptRequest): Promise<Ciphertext> {
    return await this.#post(targetOf(id, '/encrypt'), request, ciphertextSchema);
  }

  /** Decrypts what {@link encrypt} or {@link dataKey} of the same key gave (`POST /v1/pool-keys/{id}/decrypt`). */
  async decrypt(id: string, request: DecryptRequest): Promise<Plaintext> {
    return await this.#post(targetOf(id, '/decrypt'), request, plaintextSchema);
  }

  /**
   * Decrypts by one key and encrypts by another, without the plaintext leaving the node
   * (`POST /v1/pool-keys/{id}/re-encrypt`).
   */
  async reEncrypt(id: string, request: ReEncryptRequest): Promise<Ciphertext> {
    return await this.#post(targetOf(id, '/re-encrypt'), request, ciphertextSchema);
  }

  /** Draws a data key and encrypts it by a symmetric key (`POST /v1/pool-keys/{id}/data-key`). */
  async dataKey(id: string, request: DataKeyRequest): Promise<Ciphertext> {
    return await this.#post(targetOf(id, '/data-key'), request, ciphertextSchema);
  }

  /** Computes an HMAC (`POST /v1/pool-keys/{id}/mac`). */
  async mac(id: string, request: MacRequest): Promise<Mac> {
    return await this.#post(targetOf(id, '/mac'), request, macSchema);
  }

  /** Verifies an HMAC inside the node, in constant time (`POST /v1/pool-keys/{id}/verify-mac`). */
  async verifyMac(id: string, request: VerifyMacRequest): Promise<VerifiedMac> {
    return await this.#post(targetOf(id, '/verify-mac'), request, verifyMacSchema);
  }

  /** Computes an ECDH secret with the public key of a peer (`POST /v1/pool-keys/{id}/derive-secret`). */
  async deriveSecret(id: string, request: DeriveSecretRequest): Promise<SharedSecret> {
    return await this.#post(targetOf(id, '/derive-secret'), request, secretSchema);
  }

  /** Draws bytes from the node's generator, 1 to 1,024, in hex (`POST /v1/random`). */
  async random(bytes: number): Promise<string> {
    return (await this.#post('/v1/random', { bytes }, randomResponseSchema)).bytes;
  }

  async #post<T>(target: string, body: object, answer: z.ZodType<T>): Promise<T> {
    return await this.#call({ method: 'POST', target, answer, body: () => body });
  }
}

/** Names what a request on a key is sent to. @throws TypeError for an id that is no UUID of version 4 */
function targetOf(id: string, path = ''): string {
  if (poolKeyIdSchema.safeParse(id).success) return `/v1/pool-keys/${id}${path}`;
  throw new TypeError('id is that of a key of a pool, a UUID in lower case: key.id of what made it');
}
