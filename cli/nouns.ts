import type { Nouns } from './run.ts';

/** Every noun of the command, with the file that holds its verbs. */
export const nouns: Nouns = {};
