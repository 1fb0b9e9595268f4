import { equalBytes } from './bytes.ts';
import type { Certificate } from './certificate.ts';

/**
 * A day of authorities from every zone of every region that one service is likely to meet, and the leaves of as many
 * enclaves.
 */
export const DEFAULT_CACHED_CERTIFICATES = 256;

/** A certificate whose signature was found good under a key. */
export interface KeptCertificate {
  readonly certificate: Certificate;
  /** The public key under which its signature was found good. */
  readonly issuerKey: Uint8Array;
}

/**
 * Remembers, for a bounded number of certificates, that the signature of this very certificate is good under that very
 * key. That is true for ever; whatever depends on time or on the rest of a chain is checked anew for every document.
 * Only what a trusted root vouches for gets in, so that nobody can fill it with certificates of their own making.
 */
export class CertificateCache {
  readonly #kept = new Map<number, KeptCertificate>();
  readonly #capacity: number;

  /** @param capacity how many certificates to keep; 0 keeps none */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 0) {
      throw new RangeError('a capacity is zero or a positive integer');
    }
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** What is kept of the certificate with these bytes. */
  find(der: Uint8Array): KeptCertificate | undefined {
    const key = keyOf(der);
    const kept = this.#kept.get(key);
    if (kept === undefined || !equalBytes(kept.certificate.der, der)) return undefined;
    // Last used, last dropped.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept;
  }

  /** Only after its signature was verified, and that of every authority above it. */
  remember(kept: KeptCertificate): void {
    if (this.#capacity === 0) return;
    this.#kept.set(keyOf(kept.certificate.der), kept);
    if (this.#kept.size <= this.#capacity) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** A certificate ends as its signature ends: six bytes are enough to find it by, as all are compared then. */
function keyOf(der: Uint8Array): number {
  let key = 0;
  for (let index = Math.max(der.length - 6, 0); index < der.length; index += 1)
    key = key * 256 + (der[index] ?? 0);
  return key;
}
