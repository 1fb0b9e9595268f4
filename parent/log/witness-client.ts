import { setTimeout as sleep } from 'node:timers/promises';
import {
  collectCosignatures,
  LogError,
  parseSignatureLines,
  parseVerifierKey,
  type VerifierKey,
  WITNESS_KEY_TYPES,
} from '../../audit/log/index.ts';
import { verifyByNode } from '../../audit/log/node-signatures.ts';
import type { WitnessRefusalCode } from '../../shared/protocol/log.ts';
import { WitnessHttp, type WitnessResponse } from './witness-http.ts';

/** Milliseconds for one request to a witness. */
const REQUEST_MS = 2_500;
/** Requests for one checkpoint: a size that is asked for, a race with another, and failures that pass. */
const MAX_REQUESTS = 5;
const PAUSE_MS = 50;
const SIZE_TYPE = 'text/x.tlog.size';

/** A witness as the parent's configuration names it. */
export interface WitnessOptions {
  /** Submission prefix (C2SP tlog-witness): `add-checkpoint` follows it. */
  readonly url: string;
  /** Its verifier key (C2SP signed-note). */
  readonly key: string;
}

/** A tree to be cosigned. */
export interface SubmittedTree {
  readonly size: number;
  /** Text of its checkpoint. */
  readonly text: string;
  /** The note with the log's signature alone: a body of more than 10 KiB is too long for some witnesses. */
  readonly note: string;
  readonly proveConsistency: (older: number) => Promise<readonly Uint8Array[]>;
}

/** What came of a submission: the line of a cosignature, or why there is none. */
export type WitnessOutcome =
  { readonly line: string } | { readonly code: WitnessRefusalCode; readonly status?: number };

/** What an operator sees of a witness. */
export interface WitnessStatus {
  readonly url: string;
  readonly name: string;
  /** Size of the largest tree that it is known to have cosigned. */
  readonly size: number;
  /** Milliseconds since 1970 of its last cosignature; null before the first. */
  readonly cosignedAt: number | null;
  /** Why it did not cosign what it was asked last; null where it did. */
  readonly refusal: WitnessRefusalCode | null;
}

/**
 * Client of one witness: C2SP tlog-witness. What is known of its size is a guess until it answers: programs differ in
 * what they answer, and a request that failed may have been carried out.
 */
export class WitnessClient {
  readonly name: string;
  readonly #url: string;
  readonly #http: WitnessHttp;
  readonly #key: VerifierKey;
  /** Size that the witness is believed to know. */
  #known = 0;
  #cosignedAt: number | null = null;
  #refusal: WitnessRefusalCode | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #newest: SubmittedTree | undefined;
  readonly #stopped = new AbortController();

  /** @throws LogError VERIFIER_KEY_MALFORMED */
  constructor({ url, key }: WitnessOptions) {
    this.#key = parseVerifierKey(key, WITNESS_KEY_TYPES);
    this.name = this.#key.name;
    this.#url = `${url.replace(/\/$/, '')}/add-checkpoint`;
    this.#http = new WitnessHttp(this.#url);
  }

  get status(): WitnessStatus {
    return {
      url: this.#url,
      name: this.name,
      size: this.#known,
      cosignedAt: this.#cosignedAt,
      refusal: this.#refusal,
    };
  }

  /** Asks for a cosignature; undefined for a tree that waited until a newer one came, which is asked for instead. */
  cosign(tree: SubmittedTree): Promise<WitnessOutcome | undefined> {
    this.#newest = tree;
    const outcome = this.#last.then(async () => {
      if (this.#newest !== tree || this.#stopped.signal.aborted) return undefined;
      const found = await this.#submit(tree).catch((): WitnessOutcome => ({ code: 'UNREACHABLE' }));
      this.#refusal = 'code' in found ? found.code : null;
      if ('line' in found) this.#cosignedAt = Date.now();
      return found;
    });
    this.#last = outcome;
    return outcome;
  }

  close(): void {
    this.#stopped.abort();
    this.#http.close();
  }

  async #submit(tree: SubmittedTree): Promise<WitnessOutcome> {
    let status = 0;
    for (let attempt = 0; attempt < MAX_REQUESTS; attempt += 1) {
      if (attempt > 1) await sleep(PAUSE_MS * attempt, undefined, { signal: this.#stopped.signal });
      // A witness that was once said to know more is asked again by the size that is shown to it.
      const old = Math.min(this.#known, tree.size);
      const response = await this.#post(tree, old);
      ({ status } = response);
      if (status === 200) return this.#readLines(tree, response.body);
      if (status === 409 && response.type === SIZE_TYPE) {
        const size = readSize(response.body);
        if (size === undefined) return { code: 'FAILED', status };
        if (size > tree.size) return { code: 'LARGER_TREE', status };
        this.#known = size;
        continue;
      }
      if (status === 422) return { code: 'OTHER_TREE', status };
      if (status === 403 || status === 404) return { code: 'UNKNOWN_LOG', status };
      // Busy, or a failure that may have been one after all: the size is asked for again.
      if (status !== 429 && status !== 409 && status < 500) return { code: 'FAILED', status };
    }
    return { code: 'FAILED', status };
  }

  async #post(tree: SubmittedTree, old: number): Promise<WitnessResponse> {
    const proof = await tree.proveConsistency(old);
    const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
    const signal = AbortSignal.any([AbortSignal.timeout(REQUEST_MS), this.#stopped.signal]);
    return await this.#http.post(`old ${old}\n${lines.join('')}\n${tree.note}`, signal);
  }

  #readLines(tree: SubmittedTree, body: string): WitnessOutcome {
    try {
      const { cosignatures } = collectCosignatures(
        tree.text,
        parseSignatureLines(body),
        [this.#key],
        verifyByNode,
      );
      const [found] = cosignatures;
      if (found === undefined) return { code: 'FAILED', status: 200 };
      this.#known = tree.size;
      return { line: found.line };
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return { code: 'FAILED', status: 200 };
    }
  }
}

function readSize(body: string): number | undefined {
  const size = /^(?:0|[1-9]\d{0,15})\n$/.test(body) ? Number(body) : NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}
