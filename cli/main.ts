import { runCli } from './run.ts';
import { nouns } from './nouns.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const abort = new AbortController();
/**
 * Milliseconds within which a second signal is the same one: a process that the launcher started gets a signal to the
 * whole group twice.
 */
const SAME_END_MS = 1_000;
// The first signal asks for a clean end; a later one finds no handler and ends the process.
const onSignal = (): void => {
  if (abort.signal.aborted) return;
  setTimeout(() => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }, SAME_END_MS).unref();
  abort.abort();
};
for (const signal of SIGNALS) process.on(signal, onSignal);
// A reader that closes its end of a pipe causes no stack trace; the exit code still tells the verdict.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.exitCode = await runCli(
  process.argv.slice(2),
  { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: abort.signal },
  nouns,
);
