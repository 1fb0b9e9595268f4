import { planDescription, type ValidatorPlan } from '../../admin/canton/index.ts';
import type { Command, CommandInput, Outcome } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { printable } from '../common/printable.ts';
import { readDescriptionFile } from './file.ts';
import { OBJECTS, readObjectsFiles } from './objects-files.ts';

export const planCommand: Command = {
  name: 'canton plan',
  summary:
    'Say, for each Canton validator, what is to be done until its keys are where the description says: each step with its check, and how to take it back.',
  positionals: 'FILE',
  options: { objects: OBJECTS },
  examples: [
    'holdfast canton plan canton.yaml',
    'holdfast canton plan canton.yaml --objects cluster.json --json',
  ],
  run: runPlan,
};

async function runPlan({ positionals, texts, io }: CommandInput): Promise<Outcome> {
  const [path = ''] = positionals;
  const description = await readDescriptionFile(path, io);
  const files = texts('objects');
  const objects = files.length === 0 ? undefined : await readObjectsFiles(files, io);
  const plans = inFile(path, () => planDescription(description, objects));
  const left = plans.filter(({ steps }) => steps.length > 0).length;
  return {
    ok: true,
    text: [...plans.flatMap(describe), `${left} of ${plans.length} validators have something to do`].join(
      '\n',
    ),
    data: { environment: description.environment.name, plans, left },
  };
}

function describe({ validator, summary, present, limits, steps }: ValidatorPlan): string[] {
  return [
    `${validator}: ${printable(summary)}`,
    ...present.map((line) => `  is there   ${printable(line)}`),
    ...limits.map((line) => `  know       ${printable(line)}`),
    ...steps.flatMap(({ title, commands, check, undo }, index) => [
      `  ${index + 1}. ${printable(title)}`,
      ...commands.map((command) => `       ${command.startsWith('@') ? '' : '$ '}${printable(command)}`),
      `     worked if  ${printable(check)}`,
      `     take back  ${printable(undo)}`,
    ]),
    '',
  ];
}
