import { runCli } from './run.ts';
import { nouns } from './nouns.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one does not wait for a clean end.
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  });
}
// Whoever stops listening gets no stack trace; the exit code still says what was found.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.exitCode = await runCli(
  process.argv.slice(2),
  { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: abort.signal },
  nouns,
);
