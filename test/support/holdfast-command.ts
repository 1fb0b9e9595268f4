import { join } from 'node:path';
import { inject } from 'vitest';
import type { HoldfastCommand } from '../../local/testbed/holdfast-command.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the command's bundle: see bundle-command.ts. */
    readonly commandBundle: string;
  }
}

const LAUNCHER = join(import.meta.dirname, '../../cli/holdfast.js');
/** Room for what a start leaves behind: with Node's own, which grows from a megabyte, collecting it is a fifth of a short run. */
const FLAGS = ['--min-semi-space-size=16'];
// A project of tests that bundles nothing provides nothing, whatever the type says.
const bundle = inject('commandBundle') as string | undefined;

/**
 * The command of this working copy, as tests start it: from the bundle that was made of its sources when this run began,
 * which a process loads in half of the time, and without one by its launcher. Tests of the launcher itself, and those that
 * measure a process, name what they start.
 */
export const HOLDFAST: HoldfastCommand = [process.execPath, ...FLAGS, bundle ?? LAUNCHER];
