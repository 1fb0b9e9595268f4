import type { BootObserver } from '../enclave/boot/index.ts';

/**
 * Milliseconds from the beginning of the boot to the end of each part of a node's start: a phase, or `rsaKey`, the key
 * that KMS encrypts to. `program` is how long the process had been loading by then.
 */
export type BootTimes = Record<string, number>;

const round = (milliseconds: number) => Math.round(milliseconds * 10) / 10;

/** Creates a timer of a start that begins now. */
export function createBootTimer(): { readonly times: BootTimes; readonly observer: BootObserver } {
  const began = performance.now();
  const times: BootTimes = { program: round(began) };
  const mark = (part: string) => {
    times[part] = round(performance.now() - began);
  };
  let phase: string | undefined;
  return {
    times,
    observer: {
      onPhase: (next) => {
        // The node is ready when it serves, with which opening ends.
        if (next === 'serving') mark(next);
        else if (phase !== undefined) mark(phase);
        phase = next;
      },
      onRecipient: () => mark('rsaKey'),
    },
  };
}
