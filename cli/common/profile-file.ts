import { constants, type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { CliError } from './errors.ts';
import { isSettingName, SETTING_NAMES, type SettingName, SETTINGS } from './settings.ts';

export const PROFILE_NAME = 'holdfast.yaml';
const MAX_PROFILE_BYTES = 64 * 1024;
const MAX_VALUE_LENGTH = 4096;
/** Mode bits that let group or others write. */
const WRITABLE = 0o022;
/** One line of text: no character that a terminal would obey, and no line end of a PEM. */
const ONE_LINE = /^[^\p{Cc}]+$/u;

export interface Profile {
  readonly path: string;
  readonly values: ReadonlyMap<SettingName, readonly string[]>;
}

/**
 * Reads a holdfast.yaml. The file names the root that verdicts rest on, so that a file that another user owns or may
 * write is refused, as ssh refuses such a configuration.
 *
 * @param isNamed somebody has written the path. In a folder of somebody else, a link could lead to a file of one's own
 *   that was meant for another place
 * @returns undefined where there is no such file
 * @throws CliError PROFILE_EXPOSED, PROFILE_MALFORMED
 */
export async function readProfileFile(path: string, isNamed: boolean): Promise<Profile | undefined> {
  const links = isNamed ? 0 : constants.O_NOFOLLOW;
  let handle: FileHandle;
  try {
    // A pipe is not waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | links);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') {
      throw new CliError(
        'PROFILE_EXPOSED',
        'the profile is a link, and nobody has named it',
        { path },
        error,
      );
    }
    throw error;
  }
  await using file = handle;
  await assertOwn(path, file);
  const buffer = Buffer.alloc(MAX_PROFILE_BYTES + 1);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  if (bytesRead > MAX_PROFILE_BYTES) throw malformed(path, { maximum: MAX_PROFILE_BYTES });
  return { path, values: parseProfile(buffer.toString('utf8', 0, bytesRead), path) };
}

async function assertOwn(path: string, file: FileHandle): Promise<void> {
  const { mode, uid } = await file.stat();
  const owner = process.getuid?.();
  const isOwn = owner === undefined || uid === owner || uid === 0;
  if (isOwn && (mode & WRITABLE) === 0) return;
  throw new CliError('PROFILE_EXPOSED', 'another user owns the profile, or may write it', {
    path,
    owner: uid,
    mode: (mode & 0o777).toString(8).padStart(4, '0'),
  });
}

function parseProfile(text: string, path: string): ReadonlyMap<SettingName, readonly string[]> {
  const value = parseYaml(text, path) ?? {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw malformed(path, { expected: 'fields and values' });
  const values = new Map<SettingName, readonly string[]>();
  for (const [field, given] of Object.entries(value)) {
    if (!isSettingName(field)) throw malformed(path, { field, expected: SETTING_NAMES.join(', ') });
    const { isFile, isList } = SETTINGS[field];
    const words: readonly unknown[] = isList && Array.isArray(given) ? given : [given];
    if (words.length === 0 || !words.every(isValue)) {
      // The value found is left out: it may be a key.
      throw malformed(path, { field, expected: isList ? 'a list of one line each' : 'one line of text' });
    }
    values.set(field, isFile ? words.map((word) => resolve(dirname(path), word)) : words);
  }
  return values;
}

function isValue(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && ONE_LINE.test(value);
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text, { version: '1.2', strict: true, uniqueKeys: true, maxAliasCount: 0 }) as unknown;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    throw malformed(path, start === undefined ? {} : { line: start.line, column: start.col });
  }
}

function malformed(path: string, details: Record<string, unknown>): CliError {
  return new CliError('PROFILE_MALFORMED', 'a field of the profile is unknown or malformed', {
    path,
    ...details,
  });
}
