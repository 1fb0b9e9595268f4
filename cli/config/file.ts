import { createHash } from 'node:crypto';
import {
  createEnvelope,
  DsseError,
  type Envelope,
  verifyEnvelope,
  parseEnvelope,
} from '../../shared/dsse/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import {
  type Configuration,
  CONFIGURATION_PAYLOAD_TYPE,
  parseConfiguration,
} from '../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../shared/documents/errors.ts';
import { inFile } from '../common/in-file.ts';
import { type Io, MAX_INPUT_BYTES, readInput } from '../command.ts';

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

/** @throws UsageError when it cannot be read; CliError INPUT_TOO_LARGE; ConfigurationError CONFIGURATION_MALFORMED */
export async function readConfigurationFile(path: string, io: Io): Promise<ConfigurationFile> {
  const bytes = await readInput(path, io);
  return inFile(path, () => parseConfigurationFile(bytes));
}

function parseConfigurationFile(bytes: Uint8Array): ConfigurationFile {
  const isPlain = !looksLikeEnvelope(bytes);
  const envelope = isPlain ? createEnvelope(CONFIGURATION_PAYLOAD_TYPE, bytes) : readEnvelope(bytes);
  const payload = Buffer.from(envelope.payload, 'base64');
  return {
    configuration: parseConfiguration(payload),
    digest: createHash('sha384').update(payload).digest('hex'),
    envelope,
    isPlain,
    bytes,
  };
}

/** A signature of an envelope, and whether it is one of that key over these bytes. */
export interface CheckedSignature {
  /** Raw Ed25519 public key, hex. */
  readonly key: string;
  readonly isValid: boolean;
}

/** Each key once. */
export function checkSignatures(envelope: Envelope): CheckedSignature[] {
  const keys = new Set(envelope.signatures.map(({ keyid }) => keyid));
  return [...keys].map((key) => ({ key, isValid: hasSigned(envelope, key) }));
}

function hasSigned(envelope: Envelope, key: string): boolean {
  try {
    verifyEnvelope(envelope, { payloadType: CONFIGURATION_PAYLOAD_TYPE, keys: [key], threshold: 1 });
    return true;
  } catch (error) {
    if (error instanceof DsseError) return false;
    throw error;
  }
}

function looksLikeEnvelope(bytes: Uint8Array): boolean {
  try {
    const value = parseJson(bytes, { maxBytes: MAX_INPUT_BYTES, maxDepth: 8 });
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
