import { report } from './report.ts';
import { afterwards, installStep, kernelSteps, systemdSteps } from './systemd-steps.ts';

// Runs as root on a machine that systemd has booted: in the guest, or by hand in a container, which has no kernel of its
// own. Arguments: `guest` or `container`, then the command that installs.
const [place, ...install] = process.argv.slice(2);
const steps = [
  installStep(install),
  ...systemdSteps,
  ...(place === 'guest' ? kernelSteps : []),
  ...afterwards(install),
];
for (const step of steps) {
  const startedAt = Date.now();
  const say = (fields: Record<string, unknown>) =>
    report('step', { name: step.name, seconds: Math.round((Date.now() - startedAt) / 1_000), ...fields });
  try {
    await step.run();
    say({ passed: true });
  } catch (error) {
    say({ passed: false, error: error instanceof Error ? error.stack : String(error) });
  }
}
report('done', { steps: steps.length });
process.exit(0);
