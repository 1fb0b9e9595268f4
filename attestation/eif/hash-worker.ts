import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * Computes the CRC of every byte and the digest of the application ramdisks. Together they cost as much as PCR0, so that a
 * caller may compute them on another thread.
 */
export interface HashWorker {
  /** Takes the next bytes, in order; the buffer may be used again once the result settles. */
  update(bytes: Uint8Array, application: boolean): void | Promise<void>;
  /** Ends the computation; called once, after the last `update`. */
  finish(): HashWorkerResult | Promise<HashWorkerResult>;
}

/** Result of a hash worker. */
export interface HashWorkerResult {
  /** CRC-32 of all bytes. */
  readonly crc32: number;
  /** SHA-384 of all bytes marked as application. */
  readonly application: Uint8Array;
}

/** A hash worker whose calls are synchronous. */
export interface OwnSideWork extends HashWorker {
  update(bytes: Uint8Array, application: boolean): void;
  finish(): HashWorkerResult;
}

/**
 * Creates a hash worker on the calling thread: the default of `buildEif` and `describeEif`, and what a worker thread runs
 * behind its own queue.
 *
 * @example
 * ```ts
 * import { createHashWorker } from '@holdfast-nodes/holdfast/attestation/eif';
 *
 * const worker = createHashWorker();
 * worker.update(Buffer.from('123456789'), false);
 * console.log(worker.finish().crc32.toString(16)); // cbf43926
 * ```
 */
export function createHashWorker(): OwnSideWork {
  const application = createHash('sha384');
  let crc = 0;
  return {
    update(bytes, isApplication) {
      crc = crc32(bytes, crc);
      if (isApplication) application.update(bytes);
    },
    finish: () => ({ crc32: crc, application: application.digest() }),
  };
}
