import { parseConfiguration } from '../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../shared/documents/errors.ts';
import { DsseError, parseEnvelope } from '../../shared/dsse/index.ts';

/** Reads the id of the order to initialise from a configuration whose signatures nobody has verified; null for none. */
export function unsafeReadOrder(envelope: Uint8Array | null): string | null {
  if (envelope === null) return null;
  try {
    const payload = Buffer.from(parseEnvelope(envelope).payload, 'base64');
    return parseConfiguration(payload).initialise?.id ?? null;
  } catch (error) {
    if (error instanceof DsseError || error instanceof ConfigurationError) return null;
    throw error;
  }
}
