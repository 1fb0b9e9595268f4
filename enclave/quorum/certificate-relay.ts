import { type EpochCertificates, NO_CERTIFICATES } from './signing/index.ts';

/**
 * Hands the certificates of a node's ceremonies to its pipeline. The pipeline is there first, as the ceremonies are
 * decided by it; until they are connected there are no certificates.
 */
export class CertificateRelay implements EpochCertificates {
  #certificates = NO_CERTIFICATES;
  readonly #listeners: ((key: string, epoch: number) => void)[] = [];

  connect(certificates: EpochCertificates): void {
    this.#certificates = certificates;
    for (const listener of this.#listeners) certificates.onActivated(listener);
  }

  certificate(key: string): Promise<Uint8Array | null> {
    return this.#certificates.certificate(key);
  }

  accept(key: string, certificate: Uint8Array): Promise<boolean> {
    return this.#certificates.accept(key, certificate);
  }

  onActivated(listener: (key: string, epoch: number) => void): void {
    this.#listeners.push(listener);
    this.#certificates.onActivated(listener);
  }
}
