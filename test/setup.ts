import { configureGlobal } from 'fast-check';

// The same inputs in every run, so that a failure is there again for whoever looks at it; HOLDFAST_SEED=random, or a
// number, looks elsewhere.
const seed = process.env['HOLDFAST_SEED'] ?? '20261122';
configureGlobal(seed === 'random' ? {} : { seed: Number(seed) });
