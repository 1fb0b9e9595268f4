import { type Description, MAX_DESCRIPTION_BYTES, parseDescription } from '../../admin/canton/index.ts';
import { type Io, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';

/** Reads a description of validators. @throws UsageError; CliError INPUT_TOO_LARGE; CantonError */
export async function readDescriptionFile(path: string, io: Io): Promise<Description> {
  const bytes = await readInput(path, io, MAX_DESCRIPTION_BYTES);
  return inFile(path, () => parseDescription(bytes));
}
