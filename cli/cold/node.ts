import { type ColdNode, fingerprintIdentity } from '../../cold/index.ts';
import type { Command, CommandInput } from '../common/command.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';
import { NODE_OPTIONS, withNode } from './input.ts';

const OUTPUT = {
  output: {
    type: 'string',
    value: 'FILE',
    required: true,
    description: 'where the identity is written, to be carried to clients, approvers and auditors',
  },
} as const;
const FILES = '--manifest cold.json --configuration configuration.json --output identity.json';

export const initialise: Command = {
  name: 'cold init',
  summary: 'Make a cold node on a machine without a network: its store, its keys, its identity.',
  positionals: 'FOLDER',
  options: { ...NODE_OPTIONS, ...OUTPUT },
  examples: [`holdfast cold init node ${FILES}`],
  run: (input) => show(input, true),
};

export const identity: Command = {
  name: 'cold identity',
  summary: "Write a cold node's identity again, with the keys of a newer configuration.",
  positionals: 'FOLDER',
  options: { ...NODE_OPTIONS, ...OUTPUT },
  examples: [`holdfast cold identity node ${FILES}`],
  run: (input) => show(input, false),
};

async function show(input: CommandInput, isNew: boolean) {
  const output = input.text('output') ?? '';
  await assertWritable(output);
  const { bytes, node } = await withNode(input, { isNew }, (opened) =>
    Promise.resolve({ bytes: opened.identity(), node: describeNode(opened) }),
  );
  await writeOutput(output, bytes);
  const fingerprint = fingerprintIdentity(bytes);
  const text = [
    `${isNew ? 'made' : 'opened'}: ${node.name}, which nothing attests`,
    ...node.keys.map(({ id, type, publicKey }) => `  ${id}  ${type}  ${publicKey}`),
    `  identity     ${output}`,
    `  fingerprint  ${fingerprint}`,
    '  next: compare the fingerprint wherever the identity is used; whoever changes the file changes it',
  ].join('\n');
  return { ok: true, text, data: { ...node, fingerprint: fingerprint.replaceAll(' ', '') } };
}

function describeNode({ log, pipeline }: ColdNode) {
  return { name: log.origin.replace(/\/log$/, ''), log: log.vkey, keys: pipeline.listKeys() };
}
