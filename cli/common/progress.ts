import type { Io } from './command.ts';

const WIDTH = 24;
const PATIENCE_MS = 1000;
const INTERVAL_MS = 100;

export interface Progress {
  readonly update: (done: number, total: number) => void;
  /** Clears the line of the bar. */
  readonly finish: () => void;
}

/**
 * Shows a bar on standard error: on a terminal alone, and only for work of more than a second.
 *
 * @param label what is done; a function where that changes on the way
 */
export function createProgress(
  { stderr }: Pick<Io, 'stderr'>,
  label: string | (() => string),
  now = performance.now(),
): Progress {
  if (stderr.isTTY !== true) return { update: () => {}, finish: () => {} };
  let due = now + PATIENCE_MS;
  let shown = false;
  return {
    update(done, total) {
      const time = performance.now();
      if (time < due) return;
      due = time + INTERVAL_MS;
      shown = true;
      const share = total === 0 ? 1 : done / total;
      const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
      // A label that changes may have been longer before.
      const text = typeof label === 'string' ? `\r${label}` : `\r\u001b[K${label()}`;
      stderr.write(`${text} [${bar}] ${Math.floor(share * 100)} %`);
    },
    finish() {
      if (shown) stderr.write('\r\u001b[K');
    },
  };
}
