import { measureInstanceRole } from '../measurement.ts';
import { isUnusedPcr } from '../pcr.ts';

/** The condition key of an enclave's PCR, in lower case. */
export function variableOfPcr(pcr: number): string {
  return `kms:recipientattestation:pcr${pcr}`;
}

/** A measurement as KMS compares it: lower-case hex; nothing for none. */
export function toPcrHex(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What a question takes of each key; keys that are not listed may be anything. */
export function onlyKeys(
  ...takes: readonly (readonly [string, (values: readonly string[]) => boolean])[]
): (key: string) => ((values: readonly string[]) => boolean) | undefined {
  const byKey = new Map(takes);
  return (key) => byKey.get(key);
}

/** Whether a PCR3, where it is in use, is that of the role. */
export function isRolePcr(pcr3: Uint8Array | undefined, role: string): boolean {
  return pcr3 === undefined || isUnusedPcr(pcr3) || toPcrHex(pcr3) === toPcrHex(measureInstanceRole(role));
}
