import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findDebian, runMachine } from './harness/machine.ts';
import { unitSteps } from './programs/unit-steps.ts';

const debian = findDebian();
// About a minute on a quiet machine.
const DEADLINE_MS = 10 * 60_000;

const steps = unitSteps([]);

describe.skipIf(debian === undefined)('the parent on a Debian machine that systemd has booted', () => {
  const results = new Map<unknown, unknown>();
  beforeAll(async () => {
    const program = join(import.meta.dirname, 'programs/unit.ts');
    const { reports, text } = await runMachine(debian ?? '', program, AbortSignal.timeout(DEADLINE_MS));
    for (const report of reports) results.set(report['name'], report);
    if (results.size < steps.length)
      throw new Error(`the machine has not come to its end:\n${text.slice(-20_000)}`);
  }, DEADLINE_MS + 60_000);

  test.each(steps)('$name', ({ name }) => {
    expect(results.get(name)).toEqual({ name, passed: true, seconds: expect.any(Number) });
  });
});
