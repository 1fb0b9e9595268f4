import { createRealHost, type DoctorReport, runDoctor } from '../../parent/doctor/index.ts';
import type { Command, Io } from '../common/command.ts';
import { formatDoctorReport } from './report.ts';
import { CliError } from '../common/errors.ts';
import { DEFAULT_CONFIG } from '../parent/store.ts';
import { createProgress } from '../common/progress.ts';

const doctorCommand: Command = {
  name: 'doctor',
  summary:
    'Look at a parent host before anybody loses an evening: what is wrong with it, and how to mend it.',
  positionals: '',
  options: {
    config: { type: 'string', value: 'FILE', description: `the configuration (default: ${DEFAULT_CONFIG})` },
    offline: { type: 'boolean', description: 'look at nothing beyond this machine' },
  },
  examples: [
    'sudo holdfast doctor',
    'holdfast doctor --config parent.yaml --offline',
    'holdfast doctor --json | jq ".findings[] | select(.status == \\"fail\\")"',
  ],
  async run({ text, flag, json, io }) {
    const report = await examine(text('config'), flag('offline'), io);
    const failed = report.findings.filter(({ status }) => status === 'fail');
    // Findings are the result, not an error: standard output gets them either way.
    if (!json) io.stdout.write(`${formatDoctorReport(report, io.stdout.isTTY === true)}\n`);
    return {
      ok: failed.length === 0,
      text: '',
      data: { ...report, fails: failed.length },
    };
  },
};

export const commands: readonly Command[] = [doctorCommand];

async function examine(config: string | undefined, offline: boolean, io: Io): Promise<DoctorReport> {
  const progress = createProgress(io, 'looking');
  try {
    return await runDoctor({
      host: createRealHost(),
      configPath: config ?? DEFAULT_CONFIG,
      configIsNamed: config !== undefined,
      offline,
      onProgress: progress.update,
      signal: io.signal,
    });
  } catch (error) {
    throw io.signal.aborted ? new CliError('INTERRUPTED', 'interrupted') : error;
  } finally {
    progress.finish();
  }
}
