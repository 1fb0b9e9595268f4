import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * The work beside PCR0: the CRC of every byte, and the digest of the application ramdisks. It is as much as PCR0
 * itself, so a caller may do it on another thread.
 */
export interface HashWorker {
  /** `bytes` are free again when this settles. */
  update(bytes: Uint8Array, application: boolean): void | Promise<void>;
  finish(): HashWorkerResult | Promise<HashWorkerResult>;
}

export interface HashWorkerResult {
  readonly crc32: number;
  /** SHA-384 of all bytes marked as application. */
  readonly application: Uint8Array;
}

/** A hash worker that is done when the call returns. */
export interface OwnSideWork extends HashWorker {
  update(bytes: Uint8Array, application: boolean): void;
  finish(): HashWorkerResult;
}

/** The calling thread does everything. */
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
