import { equalBytes } from './bytes.ts';
import type { Certificate } from './certificate.ts';

/**
 * Default number of certificates in a cache: room for a day of authorities from every availability zone that one service
 * is likely to meet, and for the leaves of as many enclaves.
 */
export const DEFAULT_CACHED_CERTIFICATES = 256;

/** A certificate whose signature verified, with the public key that verified it. */
export interface KeptCertificate {
  readonly certificate: Certificate;
  /** Public key of the issuer: an uncompressed point of P-384, 97 bytes. */
  readonly issuerKey: Uint8Array;
}

/**
 * A cache of certificates whose signatures verified, each with its issuer's key, bounded by a capacity; the least recently
 * used certificate is dropped first.
 *
 * An entry states only that one key signed one certificate, which stays true for ever: validity dates and the rest of the
 * chain are checked anew for every document. Only certificates below a trusted root are added, so an attacker cannot fill
 * the cache with certificates of their own making.
 */
export class CertificateCache {
  readonly #kept = new Map<number, KeptCertificate>();
  readonly #capacity: number;

  /**
   * @param capacity the number of certificates to keep; 0 keeps none
   * @throws RangeError for a capacity that is negative or no integer
   */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 0) {
      throw new RangeError(
        `the capacity of a certificate cache is ${capacity}: expected 0 or a positive integer`,
      );
    }
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Returns the entry of the certificate with these very bytes, or undefined. */
  find(der: Uint8Array): KeptCertificate | undefined {
    const key = keyOf(der);
    const kept = this.#kept.get(key);
    if (kept === undefined || !equalBytes(kept.certificate.der, der)) return undefined;
    // Re-inserting makes the entry the last in the map's order, and so the last to be dropped.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept;
  }

  /** Adds an entry. The caller has verified the certificate's signature, and that of every authority above it. */
  remember(kept: KeptCertificate): void {
    if (this.#capacity === 0) return;
    this.#kept.set(keyOf(kept.certificate.der), kept);
    if (this.#kept.size <= this.#capacity) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}

/**
 * Hash key of a certificate: its last six bytes as a number. A certificate ends with its signature, so the bytes are as
 * good as random, and a hit is compared in full.
 */
function keyOf(der: Uint8Array): number {
  let key = 0;
  for (let index = Math.max(der.length - 6, 0); index < der.length; index += 1)
    key = key * 256 + (der[index] ?? 0);
  return key;
}
