import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  CONSOLE_TEMPLATE,
  renderVaultFiles,
  roleOfNode,
  sheetRolesOf,
  type VaultDocument,
} from '../../admin/vault/index.ts';
import { readConsoleTemplate } from '../../deploy/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { writeOutput } from '../common/output-file.ts';
import { describeSystemError } from '../common/system-error.ts';
import { readSoundVaultFile, VAULT_OPTION } from './options.ts';

export const sheetsCommand: Command = {
  name: 'vault sheets',
  summary:
    'Write a sheet of each procedure for each role (Markdown, and HTML to print), the stacks with their parameters, the template of a node for the console of CloudFormation, and a Makefile. Made anew, they are the same.',
  positionals: '',
  options: {
    ...VAULT_OPTION,
    output: { type: 'string', value: 'FOLDER', required: true, description: 'write them there' },
  },
  examples: [
    'holdfast vault sheets --output sheets',
    'holdfast vault sheets --vault vault.yaml --output sheets',
  ],
  run: runSheets,
};

async function runSheets(input: CommandInput): Promise<Outcome> {
  const folder = input.text('output') ?? '';
  if (folder === '') throw new UsageError('--output is a folder');
  const { document, digest } = await readSoundVaultFile(input);
  const written = await writeSheets(document, folder);
  return {
    ok: true,
    text: [...written, `  next: give each role its sheets (${sheetRolesOf(document).join(', ')})`].join('\n'),
    data: { vault: digest, files: written },
  };
}

/** Writes the sheets of every role, the stacks, their template for the console and the Makefile of a sound vault, and returns their paths. @throws UsageError */
export async function writeSheets(document: VaultDocument, folder: string): Promise<readonly string[]> {
  const consoleTemplate = await readConsoleTemplate();
  const files = [
    ...renderVaultFiles(document),
    ...document.nodes.map(
      ({ node }) => [`${roleOfNode(node)}/${CONSOLE_TEMPLATE}`, consoleTemplate] as const,
    ),
  ].map(([name, content]) => [join(folder, name), content] as const);
  for (const [name, content] of files) {
    await makeFolder(dirname(name));
    await writeOutput(name, content);
  }
  return files.map(([name]) => name);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${describeSystemError(error)}`);
  }
}
