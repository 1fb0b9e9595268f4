import { runCli } from '../run.ts';

// The program of a cold machine: of all nouns those alone that it needs, so that nothing in it knows a network.
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
process.exitCode = await runCli(
  process.argv.slice(2),
  { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signal: abort.signal },
  {
    cold: {
      summary: 'this cold node: made, asked, known',
      load: async () => (await import('./machine-commands.ts')).commands,
    },
    explain: {
      summary: 'what a code means, and what to do next',
      load: async () => (await import('../explain/explain.ts')).commands,
    },
  },
);
