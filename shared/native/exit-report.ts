/** The end of an enclave's program, as init reports it to the parent before it switches the machine off. */
export interface ExitReport {
  readonly exitCode: number;
  /** The number of the signal that killed the program; 0 for none. */
  readonly signal: number;
  /** The code of the final error: init's own (`INIT_…`), the program's, or `NONE`. */
  readonly reason: string;
}

/** Longest line that init writes, in bytes. */
export const MAX_EXIT_REPORT_BYTES = 128;

const LINE = /^holdfast-exit\/1 exit=(0|[1-9][0-9]{0,2}) signal=(0|[1-9][0-9]?) reason=([A-Z0-9_]{1,64})\n$/;

/**
 * Reads the line that arrives at `PARENT_PORT.exit`; `undefined` for anything else. init/init.c writes it. The
 * line comes from whoever holds that CID and proves nothing.
 */
export function parseExitReport(line: string): ExitReport | undefined {
  const [, exitCode, signal, reason] = LINE.exec(line) ?? [];
  if (reason === undefined) return undefined;
  return { exitCode: Number(exitCode), signal: Number(signal), reason };
}
