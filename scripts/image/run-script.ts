import { UsageError } from '../../cli/common/command.ts';
import { HoldfastError } from '../../shared/errors.ts';

/** Runs a script and returns its exit code: its own, 1 for a refusal, 2 for a usage error, which shows the usage. */
export async function runScript(usage: string, script: () => Promise<number>): Promise<number> {
  try {
    return await script();
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage}`);
      return 2;
    }
    if (!(error instanceof HoldfastError)) throw error;
    console.error(`${String(error.code)}: ${error.message}`);
    return 1;
  }
}
