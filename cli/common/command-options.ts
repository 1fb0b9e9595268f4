import type { Command } from './command.ts';

const COMMON_OPTIONS = {
  json: { type: 'boolean', description: 'print one JSON object instead of text' },
  help: { type: 'boolean', description: 'print this help; -h does too' },
} as const;

const JSON_LINES = {
  type: 'boolean',
  description: 'print JSON instead of text: one object a line, each with its "event"',
} as const;

const PROFILE_OPTION = {
  profile: {
    type: 'string',
    value: 'FILE',
    description: 'holdfast.yaml with what is not typed, or "none" (default: the one of this folder)',
  },
} as const;

/** Whether a command has an option, or reads a setting, that a profile can give. */
export function usesSettings({ options, settings = [] }: Command): boolean {
  return settings.length > 0 || Object.values(options).some(({ setting }) => setting !== undefined);
}

/** Every option of a command: its own, and those that all commands have. */
export function optionsOf(command: Command): Command['options'] {
  return {
    ...command.options,
    ...(usesSettings(command) ? PROFILE_OPTION : {}),
    ...COMMON_OPTIONS,
    ...(command.isStream === true ? { json: JSON_LINES } : {}),
  };
}
