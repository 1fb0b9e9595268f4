/** Way into the code for hostile bytes. */
export interface FuzzTarget {
  /** Inputs to start from, good and bad. */
  seeds(): readonly Uint8Array[];
  /** Fails in any way when the code does something that it never may, whatever the bytes. */
  fuzz(data: Uint8Array): void | Promise<void>;
  /** The longest input that is worth a try, in bytes. */
  readonly maxBytes: number;
}

/** Something happened that must not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function assertThat(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Violation(claim);
}
