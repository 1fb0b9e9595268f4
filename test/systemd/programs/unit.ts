import { execFileSync } from 'node:child_process';
import { unitSteps } from './unit-steps.ts';

// Runs as root on a machine that systemd has booted. Arguments: the command that installs. A line of JSON for each step.
for (const step of unitSteps(process.argv.slice(2))) {
  const startedAt = Date.now();
  const report = (fields: Record<string, unknown>) =>
    process.stdout.write(
      `${JSON.stringify({ name: step.name, seconds: (Date.now() - startedAt) / 1_000, ...fields })}\n`,
    );
  try {
    await step.run();
    report({ passed: true });
  } catch (error) {
    const journal = execFileSync('journalctl', ['--no-pager', '-q', '-n', '30', '-u', 'holdfast-*'], {
      encoding: 'utf8',
    });
    report({ passed: false, error: error instanceof Error ? error.stack : String(error), journal });
  }
}
process.exit(0);
