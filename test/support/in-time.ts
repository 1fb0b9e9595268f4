import { expect } from 'vitest';

const TRIES = 5;

/**
 * Asserts that an act ends within a time, whatever the machine does meanwhile: where it stood still during one try, it does
 * not during all of them, and what waits for longer than it may is late each time. What is late but now and then is not noticed.
 */
export async function expectInTime(milliseconds: number, act: () => Promise<unknown>): Promise<void> {
  const taken: number[] = [];
  while (taken.length < TRIES) {
    const started = performance.now();
    await act();
    const took = performance.now() - started;
    if (took < milliseconds) return;
    taken.push(took);
  }
  expect.fail(`expected to end within ${milliseconds} ms, took ${taken.map(Math.round).join(', ')}`);
}
