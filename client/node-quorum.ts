import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { receiptSchema } from '../audit/receipt/receipt.ts';
import {
  type Ceremony,
  ceremonyAcceptedSchema,
  ceremonyIdSchema,
  ceremonyListSchema,
  ceremonySchema,
  MAX_QUORUM_STATUS_BYTES,
  MAX_TRANSCRIPT_BYTES,
  type QuorumStatus,
  quorumStatusSchema,
  type ReshareRequest,
  transcriptResponseSchema,
} from '../shared/api/quorum.ts';
import { digestManifest } from '../shared/documents/manifest.ts';
import { ClientError } from './errors.ts';
import type { SealKeyForNode } from './key-import.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { SignedCall } from './signed-call.ts';

const acceptedSchema = ceremonyAcceptedSchema.extend({ receipt: receiptSchema.optional() });
/** A ceremony that a node has begun: its id and progress, the rule that permitted it on that node, and the receipt. */
export type Begun = z.infer<typeof acceptedSchema>;

const transcriptSchema = transcriptResponseSchema.transform(
  ({ transcript }) => new Uint8Array(Buffer.from(transcript, 'base64')),
);

/** Milliseconds between two questions for the progress of a ceremony. */
const POLL_MS = 250;
/** Milliseconds without a response after which a node is given up. */
const MAX_SILENCE_MS = 10_000;
/** Codes of a connection: the node may come back. */
const SILENT: readonly string[] = ['NODE_UNREACHABLE', 'ANSWER_LOST', 'ANSWER_TIMEOUT'];

/** Options of {@link NodeQuorum.waitFor}. */
export interface WaitOptions {
  /** Called with each progress that differs from the one before. */
  readonly onProgress?: (ceremony: Ceremony) => void;
  /** Ends the waiting; the ceremony goes on. */
  readonly signal?: AbortSignal;
}

/** Parts of a node's client that {@link NodeQuorum} asks by. */
export interface NodeQuorumParts {
  readonly call: <T>(call: SignedCall<T>) => Promise<T>;
  readonly manifest: Uint8Array;
}

/**
 * The quorum as one of its nodes sees it: ceremonies that this node is to lead, and their progress. Every method throws
 * what those of NodeClient do; a refusal of a ceremony is a NodeRefusal with the node's code.
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
 * const { ceremony } = await node.quorum.generate('treasury');
 * const done = await node.quorum.waitFor(ceremony);
 * console.log(done.state, done.epoch); // done 1
 * node.close();
 * ```
 */
export class NodeQuorum {
  readonly #call: NodeQuorumParts['call'];
  readonly #manifest: Uint8Array;

  constructor({ call, manifest }: NodeQuorumParts) {
    this.#call = call;
    this.#manifest = manifest;
  }

  /** Asks for nodes, keys and what is under way (`GET /v1/quorum`). */
  async status(): Promise<QuorumStatus> {
    return await this.#get('', quorumStatusSchema, MAX_QUORUM_STATUS_BYTES);
  }

  /**
   * Has the nodes generate a key that no place ever holds whole (`POST /v1/quorum/keys`).
   *
   * @param key the key's id in the configuration of every node
   */
  async generate(key: string): Promise<Begun> {
    return await this.#begin('/keys', () => ({ key }));
  }

  /**
   * Has a node split an existing key inside its enclave and forget it (`POST /v1/quorum/keys/{key}/import`).
   *
   * @param seal `sealKey` of a key to the import key and destination that it is given
   */
  async importKey(key: string, seal: SealKeyForNode): Promise<Begun> {
    const manifest = digestManifest(this.#manifest);
    return await this.#begin(`/keys/${key}/import`, ({ binding: { session, importKey } }) =>
      seal(Buffer.from(importKey, 'hex'), { manifest, session, key }),
    );
  }

  /** Has the nodes make new shares of the same key for themselves (`POST /v1/quorum/keys/{key}/refresh`). */
  async refresh(key: string): Promise<Begun> {
    return await this.#begin(`/keys/${key}/refresh`, () => ({}));
  }

  /**
   * Has the nodes hand a key to other nodes, or change how many of them sign (`POST /v1/quorum/keys/{key}/reshare`).
   *
   * @param to numbers of the nodes that hold shares afterwards, ascending, and how many of them sign
   */
  async reshare(key: string, to: ReshareRequest): Promise<Begun> {
    return await this.#begin(`/keys/${key}/reshare`, () => to);
  }

  /**
   * Has the nodes make the share of one of them again (`POST /v1/quorum/keys/{key}/repair`).
   *
   * @param node number of the node whose share is lost
   */
  async repair(key: string, node: number): Promise<Begun> {
    return await this.#begin(`/keys/${key}/repair`, () => ({ node }));
  }

  /** Lists the ceremonies that the node leads, or has led since it started, the newest first. */
  async ceremonies(): Promise<readonly Ceremony[]> {
    return (await this.#get('/ceremonies', ceremonyListSchema)).ceremonies;
  }

  /**
   * Asks for the progress of a ceremony (`GET /v1/quorum/ceremonies/{id}`).
   *
   * @throws TypeError for an id that is not 32 hex digits
   */
  async ceremony(id: string): Promise<Ceremony> {
    if (!ceremonyIdSchema.safeParse(id).success)
      throw new TypeError('id is 32 hex digits in lower case: ceremony.id of what began it');
    return await this.#get(`/ceremonies/${id}`, ceremonySchema);
  }

  /**
   * Waits until a ceremony of this node has ended.
   *
   * @returns the ceremony, whose new epoch is in force
   * @throws ClientError CEREMONY_FAILED with its code and the nodes at fault in `details`; the old state stays
   * @throws NodeRefusal CEREMONY_NOT_FOUND where the node has restarted meanwhile
   * @throws the reason of `signal`
   */
  async waitFor({ id }: Pick<Ceremony, 'id'>, { onProgress, signal }: WaitOptions = {}): Promise<Ceremony> {
    let told = '';
    let heard = performance.now();
    for (;;) {
      signal?.throwIfAborted();
      const ceremony = await this.ceremony(id).catch((error: unknown) => {
        const isSilent = error instanceof ClientError && SILENT.includes(error.code);
        if (isSilent && performance.now() - heard < MAX_SILENCE_MS) return undefined;
        throw error;
      });
      if (ceremony !== undefined) {
        heard = performance.now();
        const progress = JSON.stringify(ceremony);
        if (progress !== told) onProgress?.(ceremony);
        told = progress;
        if (ceremony.state === 'done') return ceremony;
        if (ceremony.state === 'failed') throw describeFailure(ceremony);
      }
      await sleep(POLL_MS, undefined, { ...(signal && { signal }) }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
    }
  }

  /**
   * Gets the transcript of the ceremony that made an epoch of a key, unverified
   * (`GET /v1/quorum/keys/{key}/transcripts/{epoch}`).
   *
   * @returns bytes of the file that `holdfast quorum transcript verify` takes
   */
  async transcript(key: string, epoch: number): Promise<Uint8Array> {
    const maxAnswerBytes = 2 * MAX_TRANSCRIPT_BYTES;
    return await this.#get(`/keys/${key}/transcripts/${epoch}`, transcriptSchema, maxAnswerBytes);
  }

  async #get<T>(path: string, answer: z.ZodType<T>, maxAnswerBytes?: number): Promise<T> {
    const target = `/v1/quorum${path}`;
    return await this.#call({
      method: 'GET',
      target,
      answer,
      ...(maxAnswerBytes === undefined ? {} : { maxAnswerBytes }),
    });
  }

  async #begin(path: string, body: (identity: NodeIdentity) => object): Promise<Begun> {
    return await this.#call({ method: 'POST', target: `/v1/quorum${path}`, answer: acceptedSchema, body });
  }
}

function describeFailure({ id, kind, key, failure, waitingFor }: Ceremony): ClientError {
  const { code = 'NO_WORD', nodes = [], refusal } = failure ?? {};
  const reason = refusal === undefined ? code : `${code}, ${refusal}`;
  return new ClientError('CEREMONY_FAILED', `the ceremony has failed: ${reason}`, {
    ceremony: id,
    kind,
    key,
    code,
    nodes,
    ...(refusal === undefined ? {} : { refusal }),
    waitingFor,
  });
}
