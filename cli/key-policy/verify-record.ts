import { createHash } from 'node:crypto';
import * as z from 'zod';
import { AWS_NITRO_ROOT_G1 } from '../../attestation/index.ts';
import { GATE_RECORD_FORMAT, GATE_RECORD_TYPE } from '../../attestation/key-policy/index.ts';
import { openEnvelope, parseEnvelope } from '../../shared/dsse/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { trustAnchorLines } from '../attestation/report.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../command.ts';
import { readDocumentFile } from '../common/document-file.ts';
import { CliError } from '../errors.ts';
import { inFile } from '../common/in-file.ts';
import { readPolicy } from './input.ts';
import { printable } from '../common/printable.ts';
import { readRootFile } from '../common/trust-files.ts';

const MAX_RECORD_BYTES = 2 * 1024 * 1024;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What an auditor relies on; members that a later version adds are shown as they are. */
const recordSchema = z.looseObject({
  format: z.literal(GATE_RECORD_FORMAT),
  decidedAt: z.iso.datetime(),
  keyArn: z.string(),
  policySha256: sha256,
  replacesSha256: sha256.nullable(),
  document: z.looseObject({
    sha256,
    root: z.strictObject({ name: z.string(), sha256, isAws: z.boolean() }),
    moduleId: z.string(),
    signedAt: z.iso.datetime(),
    nonce: z.string().regex(/^(?:[0-9a-f]{2})+$/),
    pcrs: z.record(z.string(), z.string().regex(/^[0-9a-f]{96}$/)),
  }),
  findings: z.array(z.looseObject({ code: z.string(), severity: z.string() })),
});
type GateRecord = z.infer<typeof recordSchema>;

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
    const file = await readInput(path, input.io, MAX_RECORD_BYTES);
    const record = inFile(path, () => openRecord(file, signers));
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

/** @throws DsseError; CliError RECORD_MALFORMED */
function openRecord(file: Uint8Array, keys: readonly string[]): GateRecord {
  const expected = { payloadType: GATE_RECORD_TYPE, keys, threshold: keys.length };
  const { payload } = openEnvelope(parseEnvelope(file), expected);
  const parsed = recordSchema.safeParse(readJson(payload));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError('RECORD_MALFORMED', 'signed, but not a record of the gate', {
    field: issue?.path.join('.'),
  });
}

/** Undefined for what is no JSON: the schema refuses it. */
function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: 16 });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** What the record says of the files at hand. @throws CliError RECORD_MISMATCH */
async function compare(input: CommandInput, record: GateRecord): Promise<string[]> {
  const { text, io } = input;
  const [policy, document, root] = [text('policy'), text('document'), text('root')];
  const compared = ['root'];
  const rootBytes = await readRootFile(root, io);
  assertSame('document.root.sha256', record.document.root.sha256, rootBytes);
  // Whoever signed could have written anything there, and it is shown as what the verdict rests on.
  const [expected, actual] = [Buffer.compare(rootBytes, AWS_NITRO_ROOT_G1) === 0, record.document.root.isAws];
  if (actual !== expected) throw mismatch('document.root.isAws', expected, actual);
  if (policy !== undefined) {
    assertSame('policySha256', record.policySha256, Buffer.from(await readPolicy(policy, input)));
    compared.push('policy');
  }
  if (document !== undefined) {
    assertSame('document.sha256', record.document.sha256, await readDocumentFile(document, io));
    compared.push('document');
  }
  return compared;
}

function assertSame(field: string, expected: string, bytes: Uint8Array): void {
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== expected) throw mismatch(field, expected, actual);
}

function mismatch(field: string, expected: unknown, actual: unknown): CliError {
  return new CliError('RECORD_MISMATCH', 'the record is about something else', { field, expected, actual });
}

function describe(
  { document, ...record }: GateRecord,
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
