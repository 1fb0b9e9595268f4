import { decideColdRequest } from '../../cold/index.ts';
import { type ColdOutcome, MAX_COLD_REQUEST_BYTES } from '../../shared/cold/index.ts';
import type { Command } from '../common/command.ts';
import { inFileLater } from '../common/in-file.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';
import { writeCodesPage } from './codes-page.ts';
import { CODES_OPTION, NODE_OPTIONS, readMessage, withNode } from './input.ts';

export const sign: Command = {
  name: 'cold sign',
  summary: 'Decide a request on a cold node: the same rules, log and receipts as in an enclave.',
  positionals: 'FOLDER REQUEST',
  options: {
    ...NODE_OPTIONS,
    ...CODES_OPTION,
    output: { type: 'string', value: 'FILE', required: true, description: 'where the response is written' },
  },
  examples: [
    'holdfast cold sign node request.json --manifest cold.json --configuration configuration.json --output response.json',
  ],
  run: async (input) => {
    const [, requestPath = ''] = input.positionals;
    const output = input.text('output') ?? '';
    await assertWritable(output);
    const envelope = await readMessage(requestPath, input.io, MAX_COLD_REQUEST_BYTES);
    const { outcome, response } = await withNode(input, { isNew: false }, (node) =>
      inFileLater(requestPath, () => decideColdRequest(node, envelope)),
    );
    await writeOutput(output, response);
    const codes = input.text('codes');
    if (codes !== undefined) await writeOutput(codes, writeCodesPage('Response of a cold node', response));
    return {
      ok: outcome.state !== 'refused',
      text: `${describeColdOutcome(outcome)}\n  response    ${output}, to be carried back`,
      data: { output, outcome },
    };
  },
};

/** Describes an outcome in lines. */
export function describeColdOutcome(outcome: ColdOutcome): string {
  switch (outcome.state) {
    case 'signed':
      return [
        ...(outcome.inputs?.map(({ index, signature }) => `${signature}  input ${index}`) ?? [
          outcome.signature,
        ]),
        `  public key  ${outcome.publicKey}`,
        `  allowed by  rule ${outcome.rule}, configuration ${outcome.configuration}`,
      ].join('\n');
    case 'waiting':
      return [
        `APPROVALS_NEEDED: waits as ${outcome.waiting.id} until ${new Date(outcome.waiting.expires).toISOString()}`,
        `  asked by    rule ${outcome.rule}, configuration ${outcome.configuration}`,
      ].join('\n');
    case 'backed-up':
      return `backed up to the recovery key, signed by this node and attested by nobody\n  allowed by  rule ${outcome.rule}, configuration ${outcome.configuration}`;
    case 'acknowledged':
      return `counts as kept by ${outcome.keeper}: ${outcome.statement}\n  allowed by  rule ${outcome.rule}, configuration ${outcome.configuration}`;
    case 'refused':
    default:
      return `${outcome.code}: ${outcome.message}`;
  }
}
