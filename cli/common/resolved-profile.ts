import { resolve } from 'node:path';
import { UsageError } from './usage-error.ts';
import { PROFILE_NAME, readProfileFile } from './profile-file.ts';
import { SETTING_NAMES, type SettingName, SETTINGS } from './settings.ts';

/** Value that was not typed, and its origin: a path, or the name of a variable. */
export interface ResolvedSetting {
  readonly values: readonly string[];
  readonly origin: string;
}

export interface ResolvedProfile {
  /** Path of the file that was read; null where there is none. */
  readonly path: string | null;
  readonly settings: ReadonlyMap<SettingName, ResolvedSetting>;
}

export interface ProfileSources {
  /** Value of `--profile`: a path, or `none`. */
  readonly named: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

/**
 * Resolves the settings that hold where nothing was typed: the environment before the file. The file is the one that
 * `--profile` or HOLDFAST_PROFILE names, else holdfast.yaml in the folder where the command is called; `none` reads no
 * file.
 *
 * @throws UsageError for a named file that does not exist; CliError PROFILE_EXPOSED, PROFILE_MALFORMED
 */
export async function resolveProfile({ named, env, folder }: ProfileSources): Promise<ResolvedProfile> {
  const chosen = named ?? nonEmpty(env['HOLDFAST_PROFILE']);
  const path = chosen === 'none' ? undefined : resolve(folder, chosen ?? PROFILE_NAME);
  const profile = path === undefined ? undefined : await readProfileFile(path, chosen !== undefined);
  if (chosen !== undefined && path !== undefined && profile === undefined) {
    throw new UsageError(`cannot read the profile ${path}: there is no such file`);
  }
  const settings = new Map<SettingName, ResolvedSetting>();
  for (const name of SETTING_NAMES) {
    const { variable, isList } = SETTINGS[name];
    const value = nonEmpty(env[variable]);
    const values = profile?.values.get(name);
    if (value !== undefined) {
      settings.set(name, {
        values: isList ? value.split(',').map((one) => one.trim()) : [value],
        origin: variable,
      });
    } else if (values !== undefined) {
      settings.set(name, { values, origin: profile?.path ?? '' });
    }
  }
  return { path: profile?.path ?? null, settings };
}

/** Value of a variable; an empty one counts as not set. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
