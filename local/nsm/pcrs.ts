import { createHash } from 'node:crypto';

export const PCR_COUNT = 32;
const PCR_BYTES = 48;
/** Count of the PCRs that the hypervisor locks before the enclave runs. */
const PREDEFINED = 16;

/** Value of a PCR that was extended once: SHA-384(48 zero bytes ‖ data). */
export function extendOnce(data: Uint8Array): Uint8Array {
  return sha384(new Uint8Array(PCR_BYTES), data);
}

/** Bank of the 32 platform configuration registers of one enclave. */
export class PcrBank {
  readonly #values: Uint8Array[];
  readonly #locked = new Set<number>();

  /** Makes a bank. `measured` are the PCRs that the hypervisor sets, 48 bytes each; the others start at zero. */
  constructor(measured: ReadonlyMap<number, Uint8Array>) {
    this.#values = Array.from(
      { length: PCR_COUNT },
      (_, index) => measured.get(index) ?? new Uint8Array(PCR_BYTES),
    );
    for (let index = 0; index < PREDEFINED; index += 1) this.#locked.add(index);
  }

  has(index: number): boolean {
    return index >= 0 && index < PCR_COUNT;
  }

  value(index: number): Uint8Array {
    const value = this.#values[index];
    if (value === undefined) throw new RangeError(`PCR${index}`);
    return value;
  }

  isLocked(index: number): boolean {
    return this.#locked.has(index);
  }

  lock(index: number): void {
    this.#locked.add(index);
  }

  get locked(): readonly number[] {
    return [...this.#locked].sort((a, b) => a - b);
  }

  extend(index: number, data: Uint8Array): Uint8Array {
    const value = sha384(this.value(index), data);
    this.#values[index] = value;
    return value;
  }

  /** PCRs that an attestation document shows: the predefined ones, and of the others those that are locked. */
  attested(): Map<number, Uint8Array> {
    return new Map(this.locked.map((index) => [index, this.value(index)]));
  }
}

function sha384(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha384');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
