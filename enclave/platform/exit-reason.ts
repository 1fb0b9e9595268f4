import { writeSync } from 'node:fs';
import { loadNative } from '../../shared/native/addon.ts';

/** The pipe that init gives to the program and reads when the program has ended (init.c, REASON_FD). */
const REASON_DESCRIPTOR = 3;

/**
 * Leaves the code of a final error with init, which hands it to the parent even when nothing else works any more. Only
 * a code: init passes on nothing but capitals, digits and underscores.
 */
export function leaveExitReason(code: string): void {
  try {
    writeSync(REASON_DESCRIPTOR, code);
  } catch {
    // Without a listener there is nobody to miss it: init then says NONE.
  }
}

/**
 * Ends the process at once. Node's own exit waits for threads that are still busy, and takes everything apart in order;
 * here the machine goes off with the process.
 */
export function endProcess(code: number): never {
  try {
    loadNative().exit(code);
  } finally {
    process.exit(code);
  }
}
