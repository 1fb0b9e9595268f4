import type { Nouns } from './run.ts';

/** Every noun of the command, with the file that holds its verbs. */
export const nouns: Nouns = {
  eif: {
    summary: 'enclave images: what they hold and measure, without nitro-cli',
    load: async () => (await import('./eif.ts')).eifCommands,
  },
};
