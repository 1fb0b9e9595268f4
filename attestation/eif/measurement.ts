/**
 * PCR0, PCR1 and PCR2 of an image, computed in one pass over its bytes.
 *
 * A register is SHA-384(48 zero bytes ‖ SHA-384(content)), with as content, in the order of the sections: for PCR0
 * the kernel, the command line and every ramdisk; for PCR1 the same but only the first ramdisk; for PCR2 the other
 * ramdisks. Headers, metadata and signature are not measured, and neither are the borders between sections.
 */
import { createHash, type Hash } from 'node:crypto';
import type { EifSectionKind } from './format.ts';
import { createHashWorker, type HashWorker } from './hash-worker.ts';

/** PCR values by number, 48 bytes each: 0, 1, 2, and 8 for a signed image. */
export type EifMeasurements = ReadonlyMap<number, Uint8Array>;

/** Result of a measurement: PCR0 to PCR2. */
export interface Measured {
  readonly measurements: Map<number, Uint8Array>;
  /** CRC-32 of every byte, headers included. */
  readonly crc32: number;
}

/** A measurement under way, which takes the bytes of an image in order, section by section. */
export class Measurement {
  readonly #side: HashWorker;
  readonly #image: Hash = createHash('sha384');
  /** Digest for PCR1, split from that for PCR0 when the second ramdisk begins; undefined until then. */
  #bootstrap: Hash | undefined;
  #ramdisks = 0;
  #kind: EifSectionKind | 'header' = 'header';

  constructor(side: HashWorker = createHashWorker()) {
    this.#side = side;
  }

  /** Begins a section: the bytes of the next updates are its content. */
  startSection(kind: EifSectionKind): void {
    this.#kind = kind;
    if (kind !== 'ramdisk') return;
    this.#ramdisks += 1;
    if (this.#ramdisks === 2) this.#bootstrap = this.#image.copy();
  }

  /** Takes bytes outside of any section's content, which count for the CRC alone. */
  async updateHeader(bytes: Uint8Array): Promise<void> {
    await this.#side.update(bytes, false);
  }

  /** Takes content of the current section. */
  async update(bytes: Uint8Array): Promise<void> {
    const application = this.#kind === 'ramdisk' && this.#ramdisks > 1;
    const pending = this.#side.update(bytes, application);
    if (this.#kind === 'kernel' || this.#kind === 'cmdline' || this.#kind === 'ramdisk') {
      this.#image.update(bytes);
      if (!application) this.#bootstrap?.update(bytes);
    }
    await pending;
  }

  /** Ends the measurement; called once, after the last byte. */
  async finish(): Promise<Measured> {
    const { crc32, application } = await this.#side.finish();
    const image = this.#image.digest();
    const measurements = new Map([
      [0, extend(image)],
      [1, extend(this.#bootstrap?.digest() ?? image)],
      [2, extend(application)],
    ]);
    return { measurements, crc32 };
  }
}

/** Computes the value of a PCR that was zero and was extended once with this SHA-384 digest. */
function extend(digest: Uint8Array): Uint8Array {
  return createHash('sha384').update(new Uint8Array(48)).update(digest).digest();
}

/** Computes PCR8 from the signing certificate in DER. */
export function measureCertificate(der: Uint8Array): Uint8Array {
  return extend(createHash('sha384').update(der).digest());
}
