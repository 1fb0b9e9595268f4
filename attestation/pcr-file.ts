import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { JsonError, parseJson, type JsonObject, type JsonValue } from '../shared/json/index.ts';
import type { DocumentKind } from './document.ts';
import { AttestationError } from './errors.ts';
import { findByteOrderMark } from './file-encoding.ts';
import { findDebugPcr, IMAGE_PCRS, MAX_PCR_INDEX, PCR_BYTES, type PcrValues } from './pcr.ts';

/** More than all that `nitro-cli describe-eif` prints, an image's metadata included. */
export const MAX_PCR_FILE_BYTES = 64 * 1024;
const MAX_DEPTH = 8;

export interface PcrFileOptions {
  /** Takes PCR0, PCR1 and PCR2 that are zero, as a debug enclave has them. Default: never. */
  readonly allowDebug?: boolean;
  /** `nitrotpm` has PCRs of its own meaning: any may be missing, but not all that say something. Default: `enclave`. */
  readonly kind?: DocumentKind;
}

/** `PCR0`, `pcr0` or `0`; never `PCR00`. */
const PCR_KEY = /^(?:pcr)?(0|[1-9][0-9]?)$/i;

/** What the enclave tools print, `Sha384 { ... }` or (from image format 0.8 on) `Sha512_48 { .. }`, or just the name. */
const SHA384_NAME = /^(?:sha-?384(?: \{ \.\.\. \})?|sha512_48 \{ \.\. \})$/i;

const HEX = /^[0-9a-f]*$/i;

/**
 * Reads pcr.json: what `nitro-cli build-enclave` or `describe-eif` prints, the object inside its `Measurements`, or a
 * plain map from `PCR0`, `pcr0` or `0` to hex in either case. All that it names is given back, and it must name PCR0,
 * PCR1 and PCR2: the first alone leaves out who booted what.
 *
 * @throws AttestationError `PCR_FILE_…` with the key as `field`
 */
export function parsePcrFile(file: Uint8Array | string, options: PcrFileOptions = {}): PcrValues {
  const pcrs = readMeasurements(findMeasurements(parseObject(file)));
  if (options.kind === 'nitrotpm') assertBootPcrs(pcrs);
  else assertImagePcrs(pcrs, options.allowDebug ?? false);
  return pcrs;
}

/** Writes pcr.json as the enclave tools do, in ascending order and lower case, for {@link parsePcrFile} to read. */
export function formatPcrFile(pcrs: PcrValues): string {
  const values = [...pcrs].sort(([left], [right]) => left - right);
  const measurements = {
    HashAlgorithm: 'Sha384 { ... }',
    ...Object.fromEntries(values.map(([index, value]) => [`PCR${index}`, bytesToHex(value)])),
  };
  return `${JSON.stringify({ Measurements: measurements }, undefined, 2)}\n`;
}

function parseObject(file: Uint8Array | string): JsonObject {
  assertNoByteOrderMark(file);
  let value: JsonValue;
  try {
    value = parseJson(file, { maxBytes: MAX_PCR_FILE_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const code = error.code === 'JSON_DUPLICATE_KEY' ? 'PCR_FILE_DUPLICATE' : 'PCR_FILE_JSON';
    throw new AttestationError(
      code,
      `pcr.json: ${error.message}`,
      { ...error.details, actual: error.code },
      error,
    );
  }
  if (isObject(value)) return value;
  const isList = Array.isArray(value);
  throw new AttestationError(
    'PCR_FILE_STRUCTURE',
    isList
      ? 'pcr.json is an array, as "nitro-cli describe-enclaves" prints it: take one enclave out of it'
      : 'pcr.json is no object',
    { expected: 'an object with Measurements', actual: isList ? 'an array' : typeof value },
  );
}

function assertNoByteOrderMark(file: Uint8Array | string): void {
  const mark =
    typeof file !== 'string'
      ? findByteOrderMark(file)
      : file.startsWith('\uFEFF')
        ? 'text with a byte order mark'
        : undefined;
  if (mark === undefined) return;
  throw new AttestationError('PCR_FILE_JSON', `pcr.json is ${mark}: save it without`, { actual: mark });
}

/** Beside `Measurements` the tools print what they know of the image: names, dates, a signature. That is not read. */
function findMeasurements(object: JsonObject): JsonObject {
  const { Measurements: measurements } = object;
  if (measurements === undefined) return object;
  if (isObject(measurements)) return measurements;
  throw new AttestationError('PCR_FILE_STRUCTURE', 'Measurements is no object', { field: 'Measurements' });
}

function readMeasurements(measurements: JsonObject): Map<number, Uint8Array> {
  const pcrs = new Map<number, Uint8Array>();
  for (const [key, value] of Object.entries(measurements)) {
    if (key === 'HashAlgorithm') assertHashAlgorithm(value);
    else {
      const index = readIndex(key);
      if (pcrs.has(index)) {
        throw new AttestationError('PCR_FILE_DUPLICATE', `PCR${index} is named twice`, { field: key, index });
      }
      pcrs.set(index, readValue(key, index, value));
    }
  }
  return pcrs;
}

function assertHashAlgorithm(value: JsonValue): void {
  if (typeof value === 'string' && SHA384_NAME.test(value)) return;
  throw new AttestationError('PCR_FILE_HASH_ALGORITHM', 'PCRs of another hash than SHA-384', {
    field: 'HashAlgorithm',
    expected: 'Sha384 { ... }',
    actual: typeof value === 'string' ? value : null,
  });
}

function readIndex(key: string): number {
  const index = Number(PCR_KEY.exec(key)?.[1]);
  if (index <= MAX_PCR_INDEX) return index;
  throw new AttestationError('PCR_FILE_UNKNOWN_KEY', 'a key that is no PCR', {
    field: key,
    expected: `PCR0 to PCR${MAX_PCR_INDEX}`,
  });
}

function readValue(key: string, index: number, value: JsonValue): Uint8Array {
  if (typeof value === 'string' && value.length === 2 * PCR_BYTES && HEX.test(value))
    return hexToBytes(value);
  throw new AttestationError('PCR_FILE_VALUE', `${key} is not ${PCR_BYTES} bytes in hex`, {
    field: key,
    index,
    expected: `${2 * PCR_BYTES} hex digits`,
    actual: typeof value === 'string' ? value : null,
  });
}

function assertImagePcrs(pcrs: PcrValues, allowDebug: boolean): void {
  for (const index of IMAGE_PCRS) {
    if (!pcrs.has(index)) {
      throw new AttestationError('PCR_FILE_INCOMPLETE', `PCR${index} is not named`, {
        field: `PCR${index}`,
        index,
      });
    }
  }
  const index = findDebugPcr(pcrs);
  if (index === undefined || allowDebug) return;
  throw new AttestationError('PCR_FILE_ZERO', `PCR${index} is zero, as in a debug enclave`, {
    field: `PCR${index}`,
    index,
  });
}

/** Zero, or all ones, is what a TPM has before anything is measured: true of every instance, whatever it runs. */
function assertBootPcrs(pcrs: PcrValues): void {
  const isBlank = (value: Uint8Array) =>
    value.every((byte) => byte === value[0] && (byte === 0 || byte === 0xff));
  if (![...pcrs.values()].every(isBlank)) return;
  throw new AttestationError(
    'PCR_FILE_INCOMPLETE',
    pcrs.size === 0 ? 'no PCR is named' : 'no PCR is named that says what was booted: all are blank',
    { field: 'PCR4', index: 4, expected: 'PCR4, PCR7 and PCR12, as nitro-tpm-pcr-compute prints them' },
  );
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
