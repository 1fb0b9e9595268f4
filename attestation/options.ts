import type { DocumentKind } from './document.ts';
import { MAX_PCR_INDEX, PCR_BYTES, type PcrValues } from './pcr.ts';

/**
 * Expectations of the caller, all of which a document must meet. The trust anchor, the time and the measurements have no
 * default.
 */
export interface VerifyOptions {
  /** Trust anchor, a certificate in DER: the first certificate of the cabundle must be these very bytes. */
  readonly root: Uint8Array;
  /** Time at which every certificate must be valid: milliseconds since 1970, or `document` for the document's timestamp. */
  readonly at: number | 'document';
  /**
   * Expected PCRs, 48 bytes each: one set, or several of which one must match as a whole (old and new image during a
   * roll-out). A PCR from 3 on that is expected to be zero must be zero or absent.
   */
  readonly pcrs: PcrValues | readonly PcrValues[];
  /** Maximum age of the document at `at`, in milliseconds. Default: as long as its certificates are valid. */
  readonly maxAgeMs?: number;
  /** Maximum lead of the hypervisor's clock over `at`, in milliseconds. Default: {@link DEFAULT_CLOCK_SKEW_MS}. */
  readonly maxClockSkewMs?: number;
  /** Nonce that the document must carry, byte for byte; an empty one is not an absent one. Default: not compared. */
  readonly nonce?: Uint8Array;
  /** user_data that the document must carry, byte for byte. Default: not compared. */
  readonly userData?: Uint8Array;
  /** public_key that the document must carry, byte for byte. Default: not compared. */
  readonly publicKey?: Uint8Array;
  /** Accepts a debug enclave, whose PCR0, PCR1 and PCR2 are zero and are then not compared. Default: false. */
  readonly allowDebug?: boolean;
  /** Platform that the document must be of. Default: `enclave`. */
  readonly kind?: DocumentKind;
}

/** Default of {@link VerifyOptions.maxClockSkewMs}: a minute. */
export const DEFAULT_CLOCK_SKEW_MS = 60_000;

/** The latest time that a Date holds, in milliseconds since 1970: ECMA-262, "Time Values and Time Range". */
const MAX_TIME = 8.64e15;

/**
 * Checks the options, fills in the defaults, and puts one set of PCRs into the form of several.
 *
 * @throws TypeError for a value of the wrong type, no PCR, or an age at the document's own time
 * @throws RangeError for a time, duration, PCR number or PCR length out of range
 */
export function resolveOptions(options: VerifyOptions): ResolvedOptions {
  const {
    root,
    at,
    pcrs,
    maxAgeMs,
    maxClockSkewMs = DEFAULT_CLOCK_SKEW_MS,
    kind = 'enclave',
    allowDebug = false,
  } = options;
  assertBytes('root', root);
  if (at !== 'document' && !(Number.isSafeInteger(at) && at >= 0 && at <= MAX_TIME)) {
    throw new RangeError(`at is ${String(at)}: expected a time in milliseconds since 1970, or 'document'`);
  }
  if (maxAgeMs !== undefined) {
    if (at === 'document')
      throw new TypeError("maxAgeMs is given with at: 'document', at which no document has an age");
    assertDuration('maxAgeMs', maxAgeMs);
  }
  assertDuration('maxClockSkewMs', maxClockSkewMs);
  const alternatives = isAlternatives(pcrs) ? pcrs : [pcrs];
  if (alternatives.length === 0)
    throw new TypeError('pcrs is an empty list: expected at least one set of PCRs');
  for (const alternative of alternatives) assertPcrValues(alternative);
  const { nonce, userData, publicKey } = options;
  if (nonce !== undefined) assertBytes('nonce', nonce);
  if (userData !== undefined) assertBytes('userData', userData);
  if (publicKey !== undefined) assertBytes('publicKey', publicKey);
  return { root, at, maxAgeMs, maxClockSkewMs, kind, allowDebug, alternatives, nonce, userData, publicKey };
}

/** {@link VerifyOptions} after {@link resolveOptions}; `alternatives` are the sets of PCRs, at least one. */
export interface ResolvedOptions {
  readonly root: Uint8Array;
  readonly at: number | 'document';
  readonly maxAgeMs: number | undefined;
  readonly maxClockSkewMs: number;
  readonly kind: DocumentKind;
  readonly allowDebug: boolean;
  readonly alternatives: readonly PcrValues[];
  readonly nonce: Uint8Array | undefined;
  readonly userData: Uint8Array | undefined;
  readonly publicKey: Uint8Array | undefined;
}

function isAlternatives(pcrs: PcrValues | readonly PcrValues[]): pcrs is readonly PcrValues[] {
  return Array.isArray(pcrs);
}

function assertPcrValues(pcrs: PcrValues): void {
  if (pcrs.size === 0) throw new TypeError('a set of expected PCRs is empty: expected at least one PCR');
  for (const [index, value] of pcrs) {
    if (!Number.isSafeInteger(index) || index < 0 || index > MAX_PCR_INDEX)
      throw new RangeError(`PCR${index} does not exist: expected 0 to ${MAX_PCR_INDEX}`);
    assertBytes(`PCR${index}`, value);
    if (value.length !== PCR_BYTES)
      throw new RangeError(`PCR${index} has ${value.length} bytes: expected ${PCR_BYTES}`);
  }
}

function assertBytes(name: string, value: unknown): void {
  if (!(value instanceof Uint8Array))
    throw new TypeError(`${name} is ${typeof value}: expected a Uint8Array`);
}

function assertDuration(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} is ${value}: expected a number of milliseconds, 0 or more`);
}
