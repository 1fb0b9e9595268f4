import { spawnSync } from 'node:child_process';

/** Outcome of one verifier and one vector: a verdict, or no verdict at all. */
export type Attempt =
  | { readonly verdict: 'accept' | 'refuse'; readonly said: string }
  /** The verifier did not decide: `reason` says why. */
  | { readonly verdict: 'none'; readonly reason: string; readonly said: string };

const TIMEOUT_MS = 60_000;
/** Exit codes of no verdict: misuse by convention, and a shell's "not executable" and "not found". */
const NO_VERDICT: Readonly<Record<number, string>> = {
  2: 'exit 2: a usage error',
  64: 'exit 64: a usage error (EX_USAGE)',
  126: 'exit 126: not executable',
  127: 'exit 127: not found',
};

/** A shell's word for a command that a signal ended is 128 and the signal's number. */
const SIGNALLED = { above: 128, upTo: 128 + 31 } as const;

/** The verifier could not be started, and will not be for any other vector. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** Runs a verifier once. @throws CannotStart */
export function attempt(command: string, args: readonly string[]): Attempt {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  const said = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').find((line) => line.trim() !== '') ?? '';
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
    return { verdict: 'none', reason: `no verdict within ${TIMEOUT_MS / 1000} s`, said };
  if (error !== undefined) throw new CannotStart(error.message, { cause: error });
  if (signal !== null || status === null) return { verdict: 'none', reason: `ended by ${signal}`, said };
  const signalled = status > SIGNALLED.above && status <= SIGNALLED.upTo;
  const reason = signalled ? `exit ${status}: ended by signal ${status - 128}` : NO_VERDICT[status];
  if (reason !== undefined) return { verdict: 'none', reason, said };
  return { verdict: status === 0 ? 'accept' : 'refuse', said };
}
