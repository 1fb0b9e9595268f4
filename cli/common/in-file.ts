import { HoldfastError } from '../../shared/errors.ts';

const files = new WeakMap<Error, string>();

/**
 * Runs `act` on a file's content, and remembers its refusal as one of that file, which the report then names: parsers
 * take bytes, and do not know where they came from.
 */
export function inFile<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw about(path, error);
  }
}

/** Runs an asynchronous `act` as {@link inFile} does. */
export async function inFileLater<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw about(path, error);
  }
}

function about(path: string, error: unknown): unknown {
  if (error instanceof HoldfastError && !files.has(error)) files.set(error, path);
  return error;
}

/** Path of the file that an error is about, as the user named it. */
export function fileOf(error: unknown): string | undefined {
  return error instanceof Error ? files.get(error) : undefined;
}
