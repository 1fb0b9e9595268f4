import { createHash } from 'node:crypto';
import { LOG_KEY_TYPES, LogError, parseVerifierKey, WITNESS_KEY_TYPES } from '../../audit/log/index.ts';
import { createEnvelope, DsseError, type Envelope, parseEnvelope } from '../../shared/dsse/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import {
  type Configuration,
  CONFIGURATION_PAYLOAD_TYPE,
  parseConfiguration,
} from '../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../shared/documents/errors.ts';

/** As long as an envelope can be before it is known to be one, in bytes. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A configuration as it lies on a disk, plain or in an envelope. Nothing of it is verified. */
export interface ConfigurationFile {
  readonly configuration: Configuration;
  /** SHA-384 of the bytes that are signed, hex. */
  readonly digest: string;
  /** Around the file's own bytes, without a signature, when the file was plain. */
  readonly envelope: Envelope;
  readonly isPlain: boolean;
  /** What the file held. */
  readonly bytes: Uint8Array;
}

/**
 * Parses what a file holds: a configuration, or an envelope around one. Keys of logs and witnesses are parsed as the
 * node does when it starts.
 *
 * @throws ConfigurationError CONFIGURATION_MALFORMED
 */
export function parseConfigurationFile(bytes: Uint8Array): ConfigurationFile {
  const isPlain = !looksLikeEnvelope(bytes);
  const envelope = isPlain ? createEnvelope(CONFIGURATION_PAYLOAD_TYPE, bytes) : readEnvelope(bytes);
  const payload = Buffer.from(envelope.payload, 'base64');
  const configuration = parseConfiguration(payload);
  assertWitnessKeys(configuration);
  return {
    configuration,
    digest: createHash('sha384').update(payload).digest('hex'),
    envelope,
    isPlain,
    bytes,
  };
}

function assertWitnessKeys({ witnesses, quorum }: Configuration): void {
  for (const [index, key] of (witnesses?.keys ?? []).entries())
    assertVerifierKey(key, WITNESS_KEY_TYPES, `witnesses.keys.${index}`);
  for (const [index, { log, witness }] of (quorum?.peers ?? []).entries()) {
    if (log !== undefined) assertVerifierKey(log, LOG_KEY_TYPES, `quorum.peers.${index}.log`);
    if (witness !== undefined) assertVerifierKey(witness, WITNESS_KEY_TYPES, `quorum.peers.${index}.witness`);
  }
}

function assertVerifierKey(key: string, types: Parameters<typeof parseVerifierKey>[1], field: string): void {
  try {
    parseVerifierKey(key, types);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new ConfigurationError(
      'CONFIGURATION_MALFORMED',
      'not the key of a log or a witness',
      { field, problem: error.message },
      error,
    );
  }
}

function looksLikeEnvelope(bytes: Uint8Array): boolean {
  try {
    const value = parseJson(bytes, { maxBytes: MAX_FILE_BYTES, maxDepth: 8 });
    return typeof value === 'object' && value !== null && 'payloadType' in value;
  } catch (error) {
    // Whatever it is, the parser of configurations says what is wrong with it.
    if (error instanceof JsonError) return false;
    throw error;
  }
}

function readEnvelope(bytes: Uint8Array): Envelope {
  let envelope;
  try {
    envelope = parseEnvelope(bytes);
  } catch (error) {
    if (!(error instanceof DsseError)) throw error;
    throw new ConfigurationError('CONFIGURATION_MALFORMED', error.message, error.details, error);
  }
  if (envelope.payloadType === CONFIGURATION_PAYLOAD_TYPE) return envelope;
  throw new ConfigurationError('CONFIGURATION_MALFORMED', 'an envelope of something else', {
    field: 'payloadType',
    expected: CONFIGURATION_PAYLOAD_TYPE,
  });
}
