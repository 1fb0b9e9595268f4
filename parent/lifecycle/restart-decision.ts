/** End of an enclave, or reason why it did not start. */
export type EnclaveEnd =
  /** The node reported phase `failed` with this code before it was gone. */
  | { readonly type: 'failed'; readonly code: string }
  /** The enclave was gone without a report. */
  | { readonly type: 'vanished' }
  /** The enclave ran, reported nothing, and was terminated for that. */
  | { readonly type: 'silent' }
  /** nitro-cli did not start the enclave: `NITRO_` and nitro-cli's code, or why nitro-cli could not be asked. */
  | { readonly type: 'not-started'; readonly code: `NITRO_${string}` };

export type RestartDecision =
  | { readonly action: 'restart'; readonly afterMs: number }
  | { readonly action: 'halt'; readonly code: string };

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 5 * 60_000;

/**
 * Node codes for a cause that passes, or may pass, by itself. Any other would come again with the same image, manifest,
 * configuration and blobs, and so waits for a person. A write of which nobody knows whether it happened is resolved by
 * the next start, which reads what the store has. A full store is full at the next start too, and so is not listed: it
 * waits for a configuration that drops records.
 */
const PASSING_CODES: ReadonlySet<string> = new Set([
  'CONTROL_CLOSED',
  'CONTROL_COMMIT_UNRESOLVED',
  'CONTROL_DISCONNECTED',
  'CONTROL_STORE_BUSY',
  'CONTROL_STORE_FAILED',
  'CONTROL_TIMEOUT',
  'CONTROL_UNAVAILABLE',
  'CLOCK_DRIFT',
  'INIT_HEARTBEAT',
  'INTERNAL',
  'KMS_REFUSED',
  'KMS_UNREACHABLE',
  // Witnesses that were down, or did not know the log yet.
  'LOG_NOT_COSIGNED',
  'NSM_FAILED',
  'STORE_UNCERTAIN',
]);
const PASSING_PREFIXES = [
  'EGRESS_CONNECT',
  'EGRESS_DNS',
  'EGRESS_OVERLOADED',
  'EGRESS_TIMEOUT',
  'EGRESS_UNREACHABLE',
];

/** Codes with which nitro-cli refuses its arguments: permissions, CPUs, memory, the image, a CID that is taken. */
const FINAL_NITRO_CODES: ReadonlySet<string> = new Set([
  'NITRO_E01',
  'NITRO_E02',
  'NITRO_E03',
  'NITRO_E18',
  'NITRO_E20',
  'NITRO_E21',
  'NITRO_E22',
  'NITRO_E23',
  'NITRO_E25',
  'NITRO_E26',
  'NITRO_E35',
]);

/** Codes shown for ends that have none of their own. */
const CODES = { vanished: 'VANISHED', silent: 'SILENT' } as const;

/** Code of an end, for log and status. */
export function codeOf(end: EnclaveEnd): string {
  return 'code' in end ? end.code : CODES[end.type];
}

/**
 * Decides what follows an end. `endsInARow` counts the ends since the enclave last served for a while, this one
 * included: each doubles the wait.
 */
export function decideRestart(end: EnclaveEnd, endsInARow: number): RestartDecision {
  const afterMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(endsInARow - 1, 20), MAX_BACKOFF_MS);
  if (end.type === 'failed' && !passes(end.code)) return { action: 'halt', code: end.code };
  if (end.type === 'not-started' && FINAL_NITRO_CODES.has(end.code)) {
    return { action: 'halt', code: end.code };
  }
  return { action: 'restart', afterMs };
}

function passes(code: string): boolean {
  return PASSING_CODES.has(code) || PASSING_PREFIXES.some((prefix) => code.startsWith(prefix));
}
