import { runCli } from './run.ts';
import { nouns } from './nouns.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const abort = new AbortController();
/** One and the same end comes twice to who is started by the launcher and signalled with the whole group. */
const SAME_END_MS = 1_000;
// The first one asks for a clean end; a later one finds nobody who would hold it back.
const onSignal = (): void => {
  if (abort.signal.aborted) return;
  setTimeout(() => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }, SAME_END_MS).unref();
  abort.abort();
};
for (const signal of SIGNALS) process.on(signal, onSignal);
// Whoever stops listening gets no stack trace; the exit code still says what was found.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.exitCode = await runCli(
  process.argv.slice(2),
  { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: abort.signal },
  nouns,
);
