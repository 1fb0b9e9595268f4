import { runCli } from './run.ts';
import { nouns } from './nouns.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const abort = new AbortController();
// The first one asks for a clean end; the second one finds nobody who would hold it back.
const onSignal = (): void => {
  for (const signal of SIGNALS) process.off(signal, onSignal);
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
