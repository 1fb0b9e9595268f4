import { writeSync } from 'node:fs';
import { loadNative } from '../../shared/native/addon.ts';

/** The pipe that init gives to the program and reads when the program has ended (init.c, REASON_FD). */
const REASON_DESCRIPTOR = 3;

/**
 * Leaves the code of a final error with init, which reports it to the parent even when nothing else works any more.
 * Init reports capitals, digits and underscores alone, so that no data leaves this way.
 */
export function leaveExitReason(code: string): void {
  try {
    writeSync(REASON_DESCRIPTOR, code);
  } catch {
    // Outside an enclave there is no init that reads the pipe; an init that reads nothing reports NONE.
  }
}

/**
 * Ends the process at once. Node's own exit waits for busy threads and releases everything in order, which is of no use
 * in a machine that is switched off with the process.
 */
export function endProcess(code: number): never {
  try {
    loadNative().exit(code);
  } finally {
    process.exit(code);
  }
}
