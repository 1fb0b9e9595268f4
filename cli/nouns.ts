import type { Nouns } from './run.ts';

/** Every noun of the command, with the file that holds its verbs. */
export const nouns: Nouns = {
  eif: {
    summary: 'enclave images: what they hold and measure, without nitro-cli',
    load: async () => (await import('./eif.ts')).eifCommands,
  },
  local: {
    summary: 'a Nitro host, an AWS and a policy node on this machine',
    load: async () => (await import('./local.ts')).commands,
  },
};
