/** Second half of measuring an image, on a thread of its own: two SHA-384 take the time of one. */
import { Worker } from 'node:worker_threads';
import {
  CHUNK_BYTES,
  createHashWorker as createOwnHashWorker,
  type HashWorkerResult,
  type HashWorker,
} from '../../attestation/eif/index.ts';
import { siblingModule } from '../../shared/sibling-module.ts';

/** Message from the main thread to the worker. The other way go a slot that is free again, and the result. */
export type HashWorkerMessage =
  { readonly slot: number; readonly length: number; readonly application: boolean } | 'finish';

/** Size in bytes below which the thread takes longer to start than it saves. */
const WORTH_A_THREAD = 32 * 1024 * 1024;
const SLOTS = 2;

/** Starts a hash worker for a file of a size. The caller disposes of the worker when it is done or has failed. */
export function startHashWorker(size: number): HashWorker & AsyncDisposable {
  if (size < WORTH_A_THREAD) return { ...createOwnHashWorker(), [Symbol.asyncDispose]: async () => {} };
  return new ThreadSideWork();
}

class ThreadSideWork implements HashWorker, AsyncDisposable {
  readonly #slots = Array.from({ length: SLOTS }, () => new Uint8Array(new SharedArrayBuffer(CHUNK_BYTES)));
  readonly #free = this.#slots.map((_, slot) => slot);
  readonly #worker = new Worker(siblingModule(import.meta.url, 'hash-worker-thread'), {
    workerData: this.#slots,
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
  });
  readonly #result = Promise.withResolvers<HashWorkerResult>();
  #slotFreed = Promise.withResolvers<void>();

  constructor() {
    // A failure shows wherever the caller waits next.
    this.#result.promise.catch(() => {});
    this.#worker.on('message', (message: number | HashWorkerResult) => {
      if (typeof message !== 'number') this.#result.resolve(message);
      else {
        this.#free.push(message);
        this.#wake();
      }
    });
    this.#worker.on('error', (error) => {
      this.#result.reject(error);
      this.#wake();
    });
  }

  async update(bytes: Uint8Array, application: boolean): Promise<void> {
    let slot = this.#free.pop();
    while (slot === undefined) {
      await Promise.race([this.#slotFreed.promise, this.#result.promise]);
      slot = this.#free.pop();
    }
    this.#slots[slot]?.set(bytes);
    this.#post({ slot, length: bytes.length, application });
  }

  finish(): Promise<HashWorkerResult> {
    this.#post('finish');
    return this.#result.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: HashWorkerMessage): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    this.#worker.postMessage(message);
  }

  #wake(): void {
    this.#slotFreed.resolve();
    this.#slotFreed = Promise.withResolvers();
  }
}
