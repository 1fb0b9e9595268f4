import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { JsonError, parseJson, type JsonObject, type JsonValue } from '../shared/json/index.ts';
import type { DocumentKind } from './document.ts';
import { AttestationError } from './errors.ts';
import { findByteOrderMark } from './file-encoding.ts';
import { findDebugPcr, IMAGE_PCRS, MAX_PCR_INDEX, PCR_BYTES, type PcrValues } from './pcr.ts';

/** Maximum length of a pcr.json in bytes: more than `nitro-cli describe-eif` prints, an image's metadata included. */
export const MAX_PCR_FILE_BYTES = 64 * 1024;
const MAX_DEPTH = 8;

/** Options of {@link parsePcrFile}. */
export interface PcrFileOptions {
  /** Accepts zero for PCR0, PCR1 and PCR2, the values of a debug enclave. Default: false. */
  readonly allowDebug?: boolean;
  /**
   * Platform of the PCRs. A file for `nitrotpm` may leave any PCR out, but must name one that measures what was booted.
   * Default: `enclave`.
   */
  readonly kind?: DocumentKind;
}

/** Key of a PCR: `PCR0`, `pcr0` or `0`, but not `PCR00`. */
const PCR_KEY = /^(?:pcr)?(0|[1-9][0-9]?)$/i;

/** HashAlgorithm as the enclave tools print it, `Sha384 { ... }` or (from image format 0.8) `Sha512_48 { .. }`, or SHA-384. */
const SHA384_NAME = /^(?:sha-?384(?: \{ \.\.\. \})?|sha512_48 \{ \.\. \})$/i;

const HEX = /^[0-9a-f]*$/i;

/**
 * Parses a pcr.json: the output of `nitro-cli build-enclave` or `describe-eif`, the object inside its `Measurements`, or a
 * plain map from `PCR0`, `pcr0` or `0` to 96 hex digits in either case. The file must name PCR0, PCR1 and PCR2, and may
 * name more.
 *
 * @param file at most {@link MAX_PCR_FILE_BYTES} bytes of UTF-8 without a byte order mark
 * @returns every PCR of the file, 48 bytes each, by number
 * @throws AttestationError `PCR_FILE_JSON`, `PCR_FILE_STRUCTURE`, `PCR_FILE_DUPLICATE`, `PCR_FILE_UNKNOWN_KEY`,
 * `PCR_FILE_HASH_ALGORITHM`, `PCR_FILE_VALUE`, `PCR_FILE_INCOMPLETE`, `PCR_FILE_ZERO`, with the key as `details.field`
 *
 * Source: AWS Nitro Enclaves User Guide, "nitro-cli build-enclave" and "nitro-cli describe-eif".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const pcrs = parsePcrFile(await readFile('pcr.json'));
 * console.log([...pcrs.keys()].join()); // 0,1,2
 * console.log(pcrs.get(0).length); // 48
 * ```
 */
export function parsePcrFile(file: Uint8Array | string, options: PcrFileOptions = {}): PcrValues {
  const pcrs = readMeasurements(findMeasurements(parseObject(file)));
  if (options.kind === 'nitrotpm') assertBootPcrs(pcrs);
  else assertImagePcrs(pcrs, options.allowDebug ?? false);
  return pcrs;
}

/**
 * Formats PCRs as a pcr.json in the enclave tools' form: ascending order, lower-case hex, `HashAlgorithm` first.
 * {@link parsePcrFile} reads the result.
 *
 * @param pcrs 48 bytes each, by number
 *
 * @example
 * ```ts
 * import { formatPcrFile, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const file = formatPcrFile(new Map([0, 1, 2].map((pcr) => [pcr, new Uint8Array(48).fill(pcr + 1)])));
 * console.log(parsePcrFile(file).size); // 3
 * ```
 */
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
      : 'pcr.json is not an object',
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
  throw new AttestationError('PCR_FILE_JSON', `pcr.json is ${mark}: save it without the mark`, {
    actual: mark,
  });
}

/** Finds the measurements. Members beside `Measurements` (name, dates and signature of the image) are ignored. */
function findMeasurements(object: JsonObject): JsonObject {
  const { Measurements: measurements } = object;
  if (measurements === undefined) return object;
  if (isObject(measurements)) return measurements;
  throw new AttestationError('PCR_FILE_STRUCTURE', 'Measurements is not an object', {
    field: 'Measurements',
  });
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
  throw new AttestationError('PCR_FILE_HASH_ALGORITHM', 'HashAlgorithm is not SHA-384', {
    field: 'HashAlgorithm',
    expected: 'Sha384 { ... }',
    actual: typeof value === 'string' ? value : null,
  });
}

function readIndex(key: string): number {
  const index = Number(PCR_KEY.exec(key)?.[1]);
  if (index <= MAX_PCR_INDEX) return index;
  throw new AttestationError(
    'PCR_FILE_UNKNOWN_KEY',
    `the key ${JSON.stringify(key.slice(0, 64))} is not a PCR`,
    {
      field: key,
      expected: `PCR0 to PCR${MAX_PCR_INDEX}`,
    },
  );
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
      throw new AttestationError(
        'PCR_FILE_INCOMPLETE',
        `PCR${index} is missing: expected PCR0, PCR1 and PCR2`,
        {
          field: `PCR${index}`,
          index,
        },
      );
    }
  }
  const index = findDebugPcr(pcrs);
  if (index === undefined || allowDebug) return;
  throw new AttestationError('PCR_FILE_ZERO', `PCR${index} is zero, the value in a debug enclave`, {
    field: `PCR${index}`,
    index,
  });
}

/**
 * Refuses PCRs that are all blank. Zeros, or all ones, are the values of a TPM before anything is measured, the same on
 * every instance, whatever it runs.
 */
function assertBootPcrs(pcrs: PcrValues): void {
  const isBlank = (value: Uint8Array) =>
    value.every((byte) => byte === value[0] && (byte === 0 || byte === 0xff));
  if (![...pcrs.values()].every(isBlank)) return;
  throw new AttestationError(
    'PCR_FILE_INCOMPLETE',
    pcrs.size === 0
      ? 'the file names no PCR'
      : 'every PCR of the file is blank: expected one that measures what was booted',
    { field: 'PCR4', index: 4, expected: 'PCR4, PCR7 and PCR12, as nitro-tpm-pcr-compute prints them' },
  );
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
