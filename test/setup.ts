import { configureGlobal } from 'fast-check';
import { afterAll } from 'vitest';
import { removeTemporaryFolders } from './support/temporary-folder.ts';

// The same inputs in every run, so that a failure is there again for whoever looks at it; HOLDFAST_SEED=random, or a
// number, looks elsewhere.
const seed = process.env['HOLDFAST_SEED'] ?? '20261122';
configureGlobal(seed === 'random' ? {} : { seed: Number(seed) });

// Registered before a test file's own hooks, and therefore run after all of them.
afterAll(removeTemporaryFolders);
