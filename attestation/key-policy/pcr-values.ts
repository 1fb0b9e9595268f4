import { measureInstanceRole } from '../measurement.ts';
import { isUnusedPcr } from '../pcr.ts';

/** The condition key of an enclave's PCR, in lower case. */
export function variableOfPcr(pcr: number): string {
  return `kms:recipientattestation:pcr${pcr}`;
}

/** Encodes a measurement as KMS compares it, in lower-case hex; the empty text for undefined. */
export function toPcrHex(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Makes the `only` of a question from predicates by key; keys without one may have any value. */
export function onlyKeys(
  ...takes: readonly (readonly [string, (values: readonly string[]) => boolean])[]
): (key: string) => ((values: readonly string[]) => boolean) | undefined {
  const byKey = new Map(takes);
  return (key) => byKey.get(key);
}

/** Whether a PCR3 is the measurement of the role, or unused. */
export function isRolePcr(pcr3: Uint8Array | undefined, role: string): boolean {
  return pcr3 === undefined || isUnusedPcr(pcr3) || toPcrHex(pcr3) === toPcrHex(measureInstanceRole(role));
}
