import type { DocumentKind } from './document.ts';
import { MAX_PCR_INDEX, PCR_BYTES, type PcrValues } from './pcr.ts';

/** What a document must satisfy. There is no default for the anchor, the time or the measurements. */
export interface VerifyOptions {
  /** The trust anchor, a certificate in DER: the first of the cabundle must be these very bytes. */
  readonly root: Uint8Array;
  /** The time at which every certificate must be valid, in milliseconds since 1970, or the document's own timestamp. */
  readonly at: number | 'document';
  /**
   * The PCRs to find: one set, or several of which one must match as a whole (old and new image during a roll-out).
   * A PCR from 3 on that is expected to be zero must be zero or absent.
   */
  readonly pcrs: PcrValues | readonly PcrValues[];
  /** The oldest document to take, in milliseconds before `at`. Default: as long as its certificates are valid. */
  readonly maxAgeMs?: number;
  /** How far the hypervisor's clock may be ahead of `at`. Default: {@link DEFAULT_CLOCK_SKEW_MS}. */
  readonly maxClockSkewMs?: number;
  /** Must be in the document, byte for byte. An empty one is not an absent one. */
  readonly nonce?: Uint8Array;
  readonly userData?: Uint8Array;
  readonly publicKey?: Uint8Array;
  /** Takes a debug enclave, whose PCR0, PCR1 and PCR2 are zero: these are then not compared. Default: never. */
  readonly allowDebug?: boolean;
  /** Default: `enclave`. */
  readonly kind?: DocumentKind;
}

/** A minute. */
export const DEFAULT_CLOCK_SKEW_MS = 60_000;

/** The latest time that a Date holds. */
const MAX_TIME = 8.64e15;

/**
 * The options with their defaults, as plain as the decision wants them.
 *
 * @throws TypeError or RangeError for options that make no sense, such as no PCR at all
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
    throw new RangeError("at is a time in milliseconds since 1970, or 'document'");
  }
  if (maxAgeMs !== undefined) {
    if (at === 'document') throw new TypeError('a document has no age at its own time');
    assertDuration('maxAgeMs', maxAgeMs);
  }
  assertDuration('maxClockSkewMs', maxClockSkewMs);
  const alternatives = isAlternatives(pcrs) ? pcrs : [pcrs];
  if (alternatives.length === 0) throw new TypeError('no PCRs to expect');
  for (const alternative of alternatives) assertPcrValues(alternative);
  const { nonce, userData, publicKey } = options;
  if (nonce !== undefined) assertBytes('nonce', nonce);
  if (userData !== undefined) assertBytes('userData', userData);
  if (publicKey !== undefined) assertBytes('publicKey', publicKey);
  return { root, at, maxAgeMs, maxClockSkewMs, kind, allowDebug, alternatives, nonce, userData, publicKey };
}

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
  if (pcrs.size === 0) throw new TypeError('no PCRs to expect');
  for (const [index, value] of pcrs) {
    if (!Number.isSafeInteger(index) || index < 0 || index > MAX_PCR_INDEX)
      throw new RangeError(`there is no PCR${index}`);
    assertBytes(`PCR${index}`, value);
    if (value.length !== PCR_BYTES) throw new RangeError(`PCR${index} has ${PCR_BYTES} bytes`);
  }
}

function assertBytes(name: string, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} is a Uint8Array`);
}

function assertDuration(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is a number of milliseconds`);
}
