/** How an enclave came to its end, or did not come to run. */
export type EnclaveEnd =
  /** It reported phase `failed` with this code before it was gone. */
  | { readonly type: 'failed'; readonly code: string }
  /** It was gone without a word. */
  | { readonly type: 'vanished' }
  /** It ran and did not speak, and was terminated for that. */
  | { readonly type: 'silent' }
  /** nitro-cli did not start it; with its own code where it gave one. */
  | { readonly type: 'not-started'; readonly nitro: string | undefined };

export type RestartDecision =
  | { readonly action: 'restart'; readonly afterMs: number }
  | { readonly action: 'halt'; readonly code: string };

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 5 * 60_000;

/**
 * Node codes behind which lies something that passes by itself, or may. Any other would come again with the same
 * image, manifest, configuration and blobs, and so waits for a person. A write of which nobody knows whether it
 * happened is resolved by the next start, which reads what the store has. A full store is full at the next start too:
 * it waits for a configuration that drops records.
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

/** nitro-cli's refusals of what was asked for: arguments, permissions, CPUs, memory, the image, a CID that is taken. */
const FINAL_NITRO_CODES: ReadonlySet<string> = new Set([
  'E01',
  'E02',
  'E03',
  'E18',
  'E20',
  'E21',
  'E22',
  'E23',
  'E25',
  'E26',
  'E35',
]);

/**
 * Decides what follows an end. `endsInARow` counts those since the enclave last served for a while, this one
 * included: each doubles the wait.
 */
export function decideRestart(end: EnclaveEnd, endsInARow: number): RestartDecision {
  const afterMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(endsInARow - 1, 20), MAX_BACKOFF_MS);
  if (end.type === 'failed' && !passes(end.code)) return { action: 'halt', code: end.code };
  if (end.type === 'not-started' && end.nitro !== undefined && FINAL_NITRO_CODES.has(end.nitro)) {
    return { action: 'halt', code: `NITRO_${end.nitro}` };
  }
  return { action: 'restart', afterMs };
}

function passes(code: string): boolean {
  return PASSING_CODES.has(code) || PASSING_PREFIXES.some((prefix) => code.startsWith(prefix));
}
