import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { CliError } from './errors.ts';
import { readOwnFile } from './own-file.ts';
import { isSettingName, SETTING_NAMES, type SettingName, SETTINGS } from './settings.ts';

export const PROFILE_NAME = 'holdfast.yaml';
const MAX_PROFILE_BYTES = 64 * 1024;
const MAX_VALUE_LENGTH = 4096;
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
  const text = await readOwnFile(path, {
    what: 'profile',
    maxBytes: MAX_PROFILE_BYTES,
    exposed: 'PROFILE_EXPOSED',
    malformed: 'PROFILE_MALFORMED',
    isNamed,
  });
  return text === undefined ? undefined : { path, values: parseProfile(text, path) };
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
