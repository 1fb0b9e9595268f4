import {
  compareGateRecord,
  type VerifiedGateRecord,
  MAX_GATE_RECORD_BYTES,
  openGateRecord,
} from '../../audit/index.ts';
import { trustAnchorLines } from '../attestation/report.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { readDocumentFile } from '../common/document-file.ts';
import { inFile } from '../common/in-file.ts';
import { readPolicy } from './input.ts';
import { printable } from '../common/printable.ts';
import { readRootFile } from '../common/trust-files.ts';

export const verifyRecordCommand: Command = {
  name: 'key-policy verify-record',
  summary:
    'Verify the signed record of a decision of the gate: who signed it, for which policy, on which root.',
  positionals: 'RECORD',
  options: {
    signer: {
      type: 'string',
      multiple: true,
      required: true,
      value: 'HEX',
      description:
        'Ed25519 public key of the admin who must have signed, 64 hex digits; several must all have',
    },
    policy: { type: 'string', value: 'FILE', description: 'the policy that it must be about' },
    document: { type: 'string', value: 'DOC', description: 'the document that it must rest on' },
    root: {
      type: 'string',
      value: 'PEM',
      setting: 'root',
      description: "the trust anchor that it must rest on (default: AWS's own root)",
    },
  },
  examples: [
    'holdfast key-policy verify-record decision.json --signer HEX --policy policy.json --document document.json',
  ],
  async run(input) {
    const [path = ''] = input.positionals;
    const signers = readSigners(input);
    const file = await readInput(path, input.io, MAX_GATE_RECORD_BYTES);
    const record = inFile(path, () => openGateRecord(file, signers));
    const compared = await compare(input, record);
    return {
      ok: true,
      text: describe(record, signers, compared),
      data: { verified: true, signers, compared, record },
    };
  },
};

function readSigners({ texts }: CommandInput): string[] {
  const signers = texts('signer').map((text) => text.toLowerCase());
  if (signers.every((text) => /^[0-9a-f]{64}$/.test(text)) && new Set(signers).size === signers.length)
    return signers;
  throw new UsageError('--signer is an Ed25519 public key, 64 hex digits, each once');
}

/** The files at hand that the record has to be about. @throws AuditError RECORD_MISMATCH */
async function compare(input: CommandInput, record: VerifiedGateRecord): Promise<readonly string[]> {
  const { text, io } = input;
  const [policy, document] = [text('policy'), text('document')];
  return compareGateRecord(record, {
    root: await readRootFile(text('root'), io),
    ...(policy === undefined ? {} : { policy: await readPolicy(policy, input) }),
    ...(document === undefined ? {} : { document: await readDocumentFile(document, io) }),
  });
}

function describe(
  { document, ...record }: VerifiedGateRecord,
  signers: readonly string[],
  compared: readonly string[],
): string {
  const own = [
    'format',
    'decidedAt',
    'keyArn',
    'policySha256',
    'replacesSha256',
    'findings',
    'gained',
    'lost',
  ];
  const others = Object.entries(record).filter(([name]) => !own.includes(name));
  return [
    `verified: ${signers.length === 1 ? 'the admin has' : `all ${signers.length} admins have`} signed this decision`,
    ...signers.map((key) => `  signer     ${key}`),
    ...trustAnchorLines(document.root),
    `  decided    ${record.decidedAt}`,
    `  key        ${printable(record.keyArn)}`,
    `  policy     SHA-256 ${record.policySha256}${compared.includes('policy') ? ', as given' : ''}`,
    `  replaces   ${record.replacesSha256 === null ? 'not said' : `SHA-256 ${record.replacesSha256}`}`,
    `  enclave    ${printable(document.moduleId)}, signed ${document.signedAt}`,
    `  document   SHA-256 ${document.sha256}${compared.includes('document') ? ', as given' : ''}`,
    `  nonce      ${document.nonce}`,
    ...Object.entries(document.pcrs).map(([name, value]) => `  ${printable(name).padEnd(10)} ${value}`),
    `  findings   ${record.findings.map(({ severity, code }) => printable(`${severity} ${code}`)).join(', ') || 'none'}`,
    ...others.map(([name, value]) => `  ${printable(name).padEnd(10)} ${printable(JSON.stringify(value))}`),
  ].join('\n');
}
