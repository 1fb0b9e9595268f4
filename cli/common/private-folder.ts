import { mkdir } from 'node:fs/promises';
import { UsageError } from './command.ts';
import { describeSystemError } from './system-error.ts';

/** Makes a folder that its owner alone can look into, where there is none. @throws UsageError where that cannot be */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UsageError(`cannot write ${folder}: ${describeSystemError(error)}`);
  }
}
