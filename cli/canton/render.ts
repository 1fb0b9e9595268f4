import { kmsValidators, renderDescription } from '../../admin/canton/index.ts';
import type { Command, CommandInput, Outcome } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { printable } from '../common/printable.ts';
import { readDescriptionFile } from './file.ts';
import { writeOutputFolder } from './output-folder.ts';

export const renderCommand: Command = {
  name: 'canton render',
  summary:
    'Write what each Canton validator needs to have its keys in KMS: variables, fragments of its configuration, Helm values or a patch, ServiceAccount, IAM policy, door.',
  positionals: 'FILE',
  options: {
    output: {
      type: 'string',
      value: 'FOLDER',
      required: true,
      description: 'write a folder for each validator there; it must not exist',
    },
  },
  examples: ['holdfast canton render canton.yaml --output rendered'],
  run: runRender,
};

async function runRender({ positionals, text, io }: CommandInput): Promise<Outcome> {
  const [path = ''] = positionals;
  const description = await readDescriptionFile(path, io);
  const files = inFile(path, () => renderDescription(description));
  const output = text('output') ?? '';
  await writeOutputFolder(output, files);
  const names = [...files.keys()];
  const on = kmsValidators(description).map(({ name }) => name);
  return {
    ok: true,
    text: [
      ...names.map((name) => `${printable(output)}/${name}`),
      `${on.length} of ${description.validators.length} validators with KMS on`,
    ].join('\n'),
    data: { output, files: names, kms: on },
  };
}
