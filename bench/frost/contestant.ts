/** The suites that are measured, by their name in the share type. */
export type SuiteName = 'ed25519' | 'taproot';

export const STEPS = ['commit', 'sign', 'aggregate', 'generate'] as const;

/** Microseconds of processor time that one participant spends on each step. */
export type Times = Readonly<Record<(typeof STEPS)[number], number>>;

/** One implementation of the steps; elements and scalars come as bytes and are decoded in each step that uses them. */
export interface Contestant {
  readonly name: string;
  /** Times each step `count` times, and a tenth as many key generations among all participants. */
  time(suite: SuiteName, threshold: number, participants: number, count: number): Times;
}

/** Microseconds of processor time of this process that one of `count` runs takes. */
export function measure(count: number, run: (number: number) => void): number {
  const start = process.cpuUsage();
  for (let number = 0; number < count; number += 1) run(number);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}
