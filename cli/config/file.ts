import { type ConfigurationFile, parseConfigurationFile } from '../../admin/configurations/index.ts';
import { type Io, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';

/** @throws UsageError when it cannot be read; CliError INPUT_TOO_LARGE; ConfigurationError CONFIGURATION_MALFORMED */
export async function readConfigurationFile(path: string, io: Io): Promise<ConfigurationFile> {
  const bytes = await readInput(path, io);
  return inFile(path, () => parseConfigurationFile(bytes));
}

/** Reads a moment in RFC 3339; the time of this machine where none is given. @throws UsageError */
export function readMoment(text: string | undefined, option: string): number {
  if (text === undefined) return Date.now();
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || time < 0)
    throw new UsageError(`${option} is a time in UTC such as 2026-12-01T12:00:00Z`);
  return time;
}
