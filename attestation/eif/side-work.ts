import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * The work beside PCR0: the CRC of every byte, and the digest of the application ramdisks. It is as much as PCR0
 * itself, so a caller may do it on another thread.
 */
export interface SideWork {
  /** `bytes` are free again when this settles. */
  update(bytes: Uint8Array, application: boolean): void | Promise<void>;
  finish(): SideResult | Promise<SideResult>;
}

export interface SideResult {
  readonly crc32: number;
  /** SHA-384 of all bytes marked as application. */
  readonly application: Uint8Array;
}

/** Side work that is done when the call returns. */
export interface OwnSideWork extends SideWork {
  update(bytes: Uint8Array, application: boolean): void;
  finish(): SideResult;
}

/** The calling thread does everything. */
export function createSideWork(): OwnSideWork {
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
