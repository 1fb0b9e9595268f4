import { configureGlobal } from 'fast-check';
import { afterAll } from 'vitest';
import { removeTemporaryFolders } from './support/temporary-folder.ts';

// Every run has the same inputs, so that a failure comes again; HOLDFAST_SEED=random, or a number, draws others.
const seed = process.env['HOLDFAST_SEED'] ?? '20261122';
configureGlobal(seed === 'random' ? {} : { seed: Number(seed) });

// Images of containers forbid Python to keep what it compiles: each start of a peer would compile all of its packages again.
delete process.env['PYTHONDONTWRITEBYTECODE'];

// Registered before a test file's own hooks, and therefore run after all of them.
afterAll(removeTemporaryFolders);
