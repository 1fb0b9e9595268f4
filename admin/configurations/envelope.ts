import type { KeyObject } from 'node:crypto';
import { type Envelope, MAX_ENVELOPE_BYTES, signEnvelope } from '../../shared/dsse/index.ts';
import { AdminError } from '../errors.ts';
import type { ConfigurationFile } from './file.ts';

/** An envelope with one more signature, and the file that holds it. */
export interface SignedFile {
  readonly envelope: Envelope;
  /** JSON that ends with a line feed. */
  readonly text: string;
}

/**
 * Signs a configuration. What is to be reviewed before comes before: `assertNamesManifest`, `assertAuthority`,
 * `compareWithInForce`, `assertNobodyNeedsToAgree`.
 *
 * @param privateKey Ed25519
 * @throws AdminError ENVELOPE_TOO_LARGE
 */
export function signConfiguration({ envelope }: ConfigurationFile, privateKey: KeyObject): SignedFile {
  const signed = signEnvelope(envelope, privateKey);
  return { envelope: signed, text: encodeEnvelope(signed) };
}

/** @throws AdminError ENVELOPE_TOO_LARGE */
export function encodeEnvelope(envelope: Envelope): string {
  const text = `${JSON.stringify(envelope, undefined, 2)}\n`;
  if (text.length <= MAX_ENVELOPE_BYTES) return text;
  throw new AdminError('ENVELOPE_TOO_LARGE', 'no node takes an envelope of this length', {
    actual: text.length,
    maximum: MAX_ENVELOPE_BYTES,
  });
}
