import { hash } from 'node:crypto';
import {
  ColdError,
  MAX_COLD_REQUEST_BYTES,
  MAX_COLD_RESPONSE_BYTES,
  openColdIdentity,
  openColdResponse,
} from '../../shared/cold/index.ts';
import { encodeColdBackup, parseBackup } from '../../shared/recovery/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readMessage } from './input.ts';
import { describeColdOutcome } from './sign.ts';

export const openResponse: Command = {
  name: 'cold open',
  summary: 'Verify the response of a cold node, and take signature, receipt, review or backup out of it.',
  positionals: 'RESPONSE',
  options: {
    identity: { type: 'string', value: 'FILE', required: true, description: "the cold node's identity" },
    request: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'the request that it has to be the response to',
    },
    receipt: { type: 'string', value: 'FILE', description: 'keep the receipt there' },
    review: {
      type: 'string',
      value: 'FILE',
      description: 'of a request that waits: what `holdfast approve sign --file` reads',
    },
    backup: {
      type: 'string',
      value: 'FILE',
      description: 'of a backup: write it there, for `holdfast ers` with --cold-identity',
    },
    configuration: {
      type: 'string',
      value: 'FILE',
      description: 'with --review: the signed configuration in force',
    },
  },
  examples: [
    'holdfast cold open response.json --identity identity.json --request request.json --receipt receipt.json',
    'holdfast cold open response.json --identity identity.json --request request.json --backup cold.treasury.json',
    'holdfast cold open response.json --identity identity.json --request request.json --review review.json --configuration configuration.json',
  ],
  run: async (input) => {
    const { text, io } = input;
    const [path = ''] = input.positionals;
    const response = await readMessage(path, io, MAX_COLD_RESPONSE_BYTES);
    const identityPath = text('identity') ?? '';
    const identityBytes = await readInput(identityPath, io);
    const { receiptKey } = inFile(identityPath, () => openColdIdentity(identityBytes));
    const opened = inFile(path, () => openColdResponse(response, receiptKey));
    const request = await readInput(text('request') ?? '', io, MAX_COLD_REQUEST_BYTES);
    assertSameRequest(opened.request.digest, request);
    const { outcome, time } = opened;
    await writeParts(input, opened, identityBytes);
    return {
      ok: outcome.state !== 'refused',
      text: `${describeColdOutcome(outcome)}\n  decided     ${new Date(time).toISOString()}, by the clock of the cold machine`,
      data: opened,
    };
  },
};

/** @throws ColdError COLD_RESPONSE_OTHER_REQUEST */
function assertSameRequest(expected: string, request: Uint8Array): void {
  const actual = hash('sha256', request, 'hex');
  if (actual === expected) return;
  throw new ColdError('COLD_RESPONSE_OTHER_REQUEST', 'the response is to another request', {
    expected,
    actual,
  });
}

async function writeParts(
  { text, io }: CommandInput,
  { outcome }: ReturnType<typeof openColdResponse>,
  identity: Uint8Array,
): Promise<void> {
  const [receiptPath, reviewPath, backupPath] = [text('receipt'), text('review'), text('backup')];
  if (backupPath !== undefined) {
    if (outcome.state !== 'backed-up') throw new UsageError('the response has no backup');
    const bytes = (base64Text: string) => Buffer.from(base64Text, 'base64');
    const backup = encodeColdBackup({
      statementBytes: bytes(outcome.statement),
      document: bytes(outcome.signed),
      ciphertexts: outcome.ciphertexts.map(bytes),
      receipt: outcome.receipt,
    });
    parseBackup(backup);
    await writeOutput(backupPath, backup);
  }
  if (receiptPath !== undefined) {
    if (outcome.receipt === undefined) throw new UsageError('the response has no receipt');
    await writeOutput(receiptPath, JSON.stringify(outcome.receipt));
  }
  if (reviewPath === undefined) return;
  if (outcome.state !== 'waiting')
    throw new UsageError('the response has no review: the request does not wait');
  const configuration = await readInput(text('configuration') ?? '', io);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const review = {
    envelope: outcome.review,
    document: base64(identity),
    configuration: base64(configuration),
  };
  await writeOutput(reviewPath, JSON.stringify(review));
}
