import { MANIFEST_PCR, parsePcrFile } from '../../attestation/index.ts';
import { CliError } from '../errors.ts';

const MANIFEST_KEY = new RegExp(`^(?:pcr)?${MANIFEST_PCR}$`, 'i');

/**
 * pcr.json with PCR16 added. Everything else in it stays: other registers, what the image tools say beside them, the
 * way registers are named, the indentation.
 *
 * @param pcr16 hex
 * @throws AttestationError PCR_FILE_…; CliError MANIFEST_PCR_PRESENT when it names another one and `replace` is false
 */
export function addManifestPcr(file: Uint8Array, pcr16: string, { replace = false } = {}): string {
  const present = parsePcrFile(file).get(MANIFEST_PCR);
  const actual = present === undefined ? undefined : Buffer.from(present).toString('hex');
  if (actual !== undefined && actual !== pcr16 && !replace) {
    throw new CliError('MANIFEST_PCR_PRESENT', 'pcr.json names the PCR16 of another manifest', {
      expected: pcr16,
      actual,
    });
  }
  const text = Buffer.from(file).toString('utf8');
  if (actual === pcr16) return text;
  // Read strictly above: no duplicate keys, no __proto__.
  const root = JSON.parse(text) as Record<string, unknown>;
  const measurements = (root['Measurements'] ?? root) as Record<string, unknown>;
  measurements[manifestKey(Object.keys(measurements))] = pcr16;
  const [, indent] = /\n([ \t]+)"/.exec(text) ?? [];
  return `${JSON.stringify(root, undefined, indent ?? '')}${text.endsWith('\n') ? '\n' : ''}`;
}

/** The name that it has there, or one like those of the others: `PCR0`, `pcr0`, `0`. */
function manifestKey(keys: readonly string[]): string {
  const sample = keys.find((key) => /^(?:pcr)?0$/i.test(key)) ?? 'PCR0';
  return keys.find((key) => MANIFEST_KEY.test(key)) ?? `${sample.slice(0, -1)}${MANIFEST_PCR}`;
}

/** The PCR16 that pcr.json names, in hex. @throws AttestationError PCR_FILE_…; CliError MANIFEST_PCR_MISSING */
export function readManifestPcr(file: Uint8Array): string {
  const value = parsePcrFile(file).get(MANIFEST_PCR);
  if (value !== undefined) return Buffer.from(value).toString('hex');
  throw new CliError('MANIFEST_PCR_MISSING', 'pcr.json names no PCR16; "manifest measure" adds it');
}
