import { constants, type FileHandle, open } from 'node:fs/promises';
import { CliError, type CliErrorCode } from './errors.ts';

/** Mode bits that let group or others write. */
const WRITABLE = 0o022;

export interface OwnFileRules {
  /** What the file is, for messages: `profile`. */
  readonly what: string;
  readonly maxBytes: number;
  /** Code of a file that another user owns or may write. */
  readonly exposed: CliErrorCode;
  /** Code of a file that is too long. */
  readonly malformed: CliErrorCode;
  /**
   * Somebody has written the path. In a folder of somebody else, a link could lead to a file of one's own that was meant
   * for another place.
   */
  readonly isNamed: boolean;
}

/**
 * Reads a file of settings that verdicts rest on, so that a file that another user owns or may write is refused, as ssh
 * refuses such a configuration.
 *
 * @returns undefined where there is no such file
 * @throws CliError with the rules' codes
 */
export async function readOwnFile(path: string, rules: OwnFileRules): Promise<string | undefined> {
  const { what, maxBytes, exposed, malformed, isNamed } = rules;
  const links = isNamed ? 0 : constants.O_NOFOLLOW;
  let handle: FileHandle;
  try {
    // A pipe is not waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | links);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP')
      throw new CliError(exposed, `the ${what} is a link, and nobody has named it`, { path }, error);
    throw error;
  }
  await using file = handle;
  await assertOwn(path, file, rules);
  const buffer = Buffer.alloc(maxBytes + 1);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  if (bytesRead > maxBytes)
    throw new CliError(malformed, `the ${what} is too long`, { path, maximum: maxBytes });
  return buffer.toString('utf8', 0, bytesRead);
}

async function assertOwn(path: string, file: FileHandle, { what, exposed }: OwnFileRules): Promise<void> {
  const { mode, uid } = await file.stat();
  const owner = process.getuid?.();
  const isOwn = owner === undefined || uid === owner || uid === 0;
  if (isOwn && (mode & WRITABLE) === 0) return;
  throw new CliError(exposed, `another user owns the ${what}, or may write it`, {
    path,
    owner: uid,
    mode: (mode & 0o777).toString(8).padStart(4, '0'),
  });
}
