import type { Command, Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import type { ResolvedProfile } from '../common/resolved-profile.ts';
import { SETTING_NAMES, SETTINGS } from '../common/settings.ts';

const showCommand: Command = {
  name: 'profile show',
  summary: 'Print what commands take where you type nothing, and where each value comes from.',
  positionals: '',
  options: {},
  settings: SETTING_NAMES,
  examples: ['holdfast profile show', 'holdfast profile show --profile staging.yaml --json'],
  run: ({ profile }) => Promise.resolve(show(profile)),
};

export const commands: readonly Command[] = [showCommand];

function show({ path, settings }: ResolvedProfile): Outcome {
  const rows = SETTING_NAMES.map((name) => {
    const found = settings.get(name);
    const value = found === undefined ? '-' : found.values.map(printable).join(', ');
    const origin = found === undefined ? `not set; ${SETTINGS[name].variable}` : printable(found.origin);
    return `${name.padEnd(9)} ${value}\n${''.padEnd(9)}   ${origin}`;
  });
  const file = path === null ? 'no holdfast.yaml is read here' : `profile   ${printable(path)}`;
  return {
    ok: true,
    text: [file, '', ...rows].join('\n'),
    data: {
      path,
      settings: Object.fromEntries(
        [...settings].map(([name, { values, origin }]) => [
          name,
          { value: SETTINGS[name].isList ? values : values[0], origin },
        ]),
      ),
    },
  };
}
