import { MANIFEST_PCR, parsePcrFile } from '../../attestation/index.ts';
import { CliError } from './errors.ts';

const MANIFEST_KEY = new RegExp(`^(?:pcr)?${MANIFEST_PCR}$`, 'i');

/**
 * Adds PCR16 to a pcr.json. Everything else in the file stays: other registers, fields of image tools, the style of the
 * registers' names, the indentation.
 *
 * @param pcr16 hex
 * @throws AttestationError PCR_FILE_…; CliError MANIFEST_PCR_PRESENT when the file names another PCR16 and `replace` is
 * false
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
  // The strict parser above has refused duplicate keys and __proto__.
  const root = JSON.parse(text) as Record<string, unknown>;
  const measurements = (root['Measurements'] ?? root) as Record<string, unknown>;
  measurements[manifestKey(Object.keys(measurements))] = pcr16;
  const [, indent] = /\n([ \t]+)"/.exec(text) ?? [];
  return `${JSON.stringify(root, undefined, indent ?? '')}${text.endsWith('\n') ? '\n' : ''}`;
}

/** Finds the key of PCR16 in the file, or makes one in the style of the others: `PCR0`, `pcr0`, `0`. */
function manifestKey(keys: readonly string[]): string {
  const sample = keys.find((key) => /^(?:pcr)?0$/i.test(key)) ?? 'PCR0';
  return keys.find((key) => MANIFEST_KEY.test(key)) ?? `${sample.slice(0, -1)}${MANIFEST_PCR}`;
}

/** Reads the PCR16 that a pcr.json names, in hex. @throws AttestationError PCR_FILE_…; CliError MANIFEST_PCR_MISSING */
export function readManifestPcr(file: Uint8Array): string {
  const value = parsePcrFile(file).get(MANIFEST_PCR);
  if (value !== undefined) return Buffer.from(value).toString('hex');
  throw new CliError('MANIFEST_PCR_MISSING', 'pcr.json names no PCR16; "manifest measure" adds it');
}
