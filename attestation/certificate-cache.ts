import { equalBytes } from './bytes.ts';
import type { Certificate } from './certificate.ts';

/** A day of certificates from every zone of every region that one service is likely to meet. */
export const DEFAULT_CACHED_CERTIFICATES = 256;

interface Entry {
  readonly certificate: Certificate;
  /** The public key under which its signature was found good. */
  readonly issuerKey: Uint8Array;
}

/**
 * Remembers, for a bounded number of authorities, that the signature of this very certificate is good under that very
 * key. That is true for ever; whatever depends on time or on the rest of a chain is checked anew for every document.
 * Only what a trusted root vouches for gets in, so that nobody can fill it with certificates of their own making.
 */
export class CertificateCache {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;

  /** @param capacity how many certificates to keep; 0 keeps none */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 0)
      throw new RangeError('a capacity is zero or a positive integer');
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The parsed certificate with these bytes, when it is kept. */
  find(der: Uint8Array): Certificate | undefined {
    const key = keyOf(der);
    const entry = this.#entries.get(key);
    if (entry === undefined || !equalBytes(entry.certificate.der, der)) return undefined;
    // Last used, last dropped.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.certificate;
  }

  isSignedBy(certificate: Certificate, issuerKey: Uint8Array): boolean {
    const entry = this.#entries.get(keyOf(certificate.der));
    return entry?.certificate === certificate && equalBytes(entry.issuerKey, issuerKey);
  }

  /** Only after its signature was verified, and that of every authority above it. */
  remember(certificate: Certificate, issuerKey: Uint8Array): void {
    if (this.#capacity === 0) return;
    this.#entries.set(keyOf(certificate.der), { certificate, issuerKey });
    if (this.#entries.size <= this.#capacity) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** The end of a certificate is the end of its signature: enough to find it by, all bytes are compared then. */
function keyOf(der: Uint8Array): string {
  return String.fromCharCode(...der.subarray(-16));
}
