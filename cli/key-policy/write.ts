import { signGateRecord } from '../../admin/key-policy/index.ts';
import { describeTrustAnchor } from '../../attestation/index.ts';
import {
  gateKeyPolicy,
  renderClosedKeyPolicy,
  renderKeyPolicy,
  KeyPolicyError,
  type AdmittedImage,
  type Finding,
  type GateDecision,
  type GateException,
  type GateOptions,
} from '../../attestation/key-policy/index.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import { trustAnchorLines } from '../attestation/report.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { readDocumentFile } from '../common/document-file.ts';
import {
  OPTIONS,
  readArns,
  readKeyArn,
  readNode,
  readOldPcrs,
  readPcrs,
  readPolicy,
  readSeverity,
  readTime,
  type Node,
} from './input.ts';
import { describeDifference, describeFindings } from './read.ts';
import { printable } from '../common/printable.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { readRootFile } from '../common/trust-files.ts';

const OLD_UNTIL = {
  type: 'string',
  value: 'TIME',
  description: 'when those images stop to decrypt (ISO 8601); required with --old-pcrs',
} as const;

export const renderCommand: Command = {
  name: 'key-policy render',
  summary:
    "Write a node's key policy: attested Decrypt for its image and manifest, administration without use.",
  positionals: '',
  options: {
    pcrs: { ...OPTIONS.pcrs, required: true },
    manifest: { ...OPTIONS.manifest, required: true },
    'node-role': { ...OPTIONS['node-role'], required: true },
    admin: { ...OPTIONS.admin, required: true },
    'old-pcrs': OPTIONS['old-pcrs'],
    'old-until': OLD_UNTIL,
    initialise: {
      type: 'boolean',
      description:
        'for the first start: also allow the attested GenerateDataKey that makes the master password',
    },
    supply: {
      type: 'boolean',
      description:
        'for who supplies the master password: also let the admins have KMS make one for this node',
    },
  },
  examples: [
    'holdfast key-policy render --pcrs pcr.json --manifest manifest.json --node-role ARN --admin ARN --initialise',
    'holdfast key-policy render --pcrs new.json --old-pcrs old.json --old-until 2026-12-01T00:00:00Z --manifest manifest.json --node-role ARN --admin ARN > policy.json',
  ],
  async run(input) {
    const node = await readRequiredNode(input);
    const first = { pcrs: await readPcrs(input.text('pcrs') ?? '', input, node) };
    const policy = renderKeyPolicy({
      nodeRole: readNodeRole(input),
      admins: readArns(input, 'admin'),
      images: [first, ...(await readOldImages(input, node))],
      encryptionContext: encryptionContext(node.manifest, PASSWORD_SECRET),
      initialise: input.flag('initialise'),
      supply: input.flag('supply'),
    });
    return { ok: true, text: policy, data: { keyArn: node.manifest.kms.keyArn, policy } };
  },
};

export const closeCommand: Command = {
  name: 'key-policy close',
  summary:
    'Write a key policy under which nobody uses the key: what a new key begins with, and what shuts a node out.',
  positionals: '',
  options: { admin: { ...OPTIONS.admin, required: true } },
  examples: [
    'holdfast key-policy close --admin arn:aws:iam::111122223333:role/node-admin > closed.json',
    'holdfast key-policy close --admin ARN --admin ARN',
  ],
  run(input) {
    const policy = renderClosedKeyPolicy(readArns(input, 'admin'));
    return Promise.resolve({ ok: true, text: policy, data: { policy } });
  },
};

export const gateCommand: Command = {
  name: 'key-policy gate',
  summary:
    'Print a key policy only after a live enclave has shown that it is the image that the policy admits.',
  positionals: 'POLICY',
  options: {
    document: {
      type: 'string',
      value: 'DOC',
      required: true,
      description:
        'what a running enclave of the new image answered: binary, hex, base64 or the JSON of the node',
    },
    nonce: {
      type: 'string',
      value: 'HEX',
      required: true,
      description: 'the nonce that it was asked with, 16 bytes or more, made for this decision',
    },
    pcrs: { ...OPTIONS.pcrs, required: true },
    manifest: { ...OPTIONS.manifest, required: true },
    'node-role': { ...OPTIONS['node-role'], required: true },
    admin: { ...OPTIONS.admin, required: true },
    'old-pcrs': OPTIONS['old-pcrs'],
    'old-until': OLD_UNTIL,
    except: {
      type: 'string',
      multiple: true,
      value: 'STATEMENT=REASON',
      description:
        'a statement, by Sid or digest, that may pass though render does not write it; the reason is recorded',
    },
    current: { type: 'string', value: 'FILE', description: 'the policy in force, to show what changes' },
    'max-age': {
      type: 'string',
      value: 'SECONDS',
      description: 'the oldest document to take (default: 300)',
    },
    root: {
      type: 'string',
      value: 'PEM',
      setting: 'root',
      description: "the trust anchor (default: AWS's own root)",
    },
    'fail-on': OPTIONS['fail-on'],
    sign: { type: 'string', value: 'PEM', description: 'Ed25519 private key of the admin who decides' },
    record: { type: 'string', value: 'FILE', description: 'where the signed record of the decision goes' },
  },
  examples: [
    'holdfast key-policy gate policy.json --document doc.cbor --nonce HEX --pcrs pcr.json --manifest manifest.json --node-role ARN --admin ARN --sign admin.pem --record decision.json',
  ],
  async run(input) {
    const { positionals, text, io } = input;
    const [signWith, recordPath, current] = [text('sign'), text('record'), text('current')];
    if ((signWith === undefined) !== (recordPath === undefined))
      throw new UsageError('--sign and --record go together');
    const node = await readRequiredNode(input);
    const policy = await readPolicy(positionals[0] ?? '', input);
    const decision = gateOrFindings({
      policy,
      keyArn: readKeyArn(input, node),
      nodeRole: readNodeRole(input),
      admins: readArns(input, 'admin'),
      expected: await readPcrs(text('pcrs') ?? '', input, node),
      others: await readOldImages(input, node),
      encryptionContext: encryptionContext(node.manifest, PASSWORD_SECRET),
      exceptions: readExceptions(input),
      document: await readDocumentFile(text('document') ?? '', io),
      nonce: readNonce(text('nonce') ?? ''),
      root: await readRootFile(text('root'), io),
      now: Date.now(),
      maxAgeMs: readSeconds(text('max-age') ?? '300') * 1000,
      threshold: readSeverity(input),
      ...(current === undefined ? {} : { current: await readPolicy(current, input) }),
    });
    if (!('record' in decision)) return refuseFor(decision);
    if (signWith !== undefined && recordPath !== undefined) {
      const { privateKey } = await readSigningKey(signWith);
      await writeOutput(recordPath, signGateRecord(decision, privateKey));
    }
    const { document, findings, difference, exceptions } = decision;
    // The policy alone goes to standard output, so that it can be put; what to read goes beside it.
    if (!input.json) {
      io.stderr.write(
        [
          `live: ${document.moduleId}, signed ${new Date(document.timestamp).toISOString()}`,
          ...trustAnchorLines(describeTrustAnchor(document)),
          describeFindings(findings),
          ...exceptions.map(
            ({ statement, reason }) =>
              `excepted: statement ${statement.index} (${printable(statement.sid ?? statement.sha256)}): ${printable(reason)}`,
          ),
          describeDifference(difference.gained, difference.lost),
          '',
        ].join('\n'),
      );
    }
    return {
      ok: true,
      text: policy,
      data: {
        policy,
        trustAnchor: describeTrustAnchor(document),
        moduleId: document.moduleId,
        findings,
        exceptions,
        ...difference,
        ...(recordPath === undefined ? {} : { record: recordPath }),
      },
    };
  },
};

/** The decision, or what the linter has found that stands in its way. */
function gateOrFindings(options: GateOptions): GateDecision | readonly Finding[] {
  try {
    return gateKeyPolicy(options);
  } catch (error) {
    if (!(error instanceof KeyPolicyError) || error.code !== 'GATE_FINDINGS') throw error;
    return error.details['findings'] as readonly Finding[];
  }
}

/** As `lint` shows them, not as the details of an error. */
function refuseFor(findings: readonly Finding[]): Outcome {
  const [code, message] = ['GATE_FINDINGS', 'the policy has findings that stop it'];
  return {
    ok: false,
    text: `refused ${code}: ${message}\n\n${describeFindings(findings)}`,
    data: { error: { code, message, details: { findings } } },
  };
}

async function readRequiredNode(input: CommandInput): Promise<Node> {
  const node = await readNode(input);
  if (node === undefined) throw new UsageError('--manifest is required');
  return node;
}

function readNodeRole(input: CommandInput): string {
  const [role] = readArns(input, 'node-role');
  if (role === undefined) throw new UsageError('--node-role is required');
  return role;
}

async function readOldImages(input: CommandInput, node: Node): Promise<AdmittedImage[]> {
  const old = await readOldPcrs(input, node);
  const until = input.text('old-until');
  if ((until === undefined) !== (old.length === 0))
    throw new UsageError('--old-pcrs and --old-until go together');
  if (until === undefined) return [];
  const time = readTime(until, 'old-until');
  // Else the way back would be closed from the beginning, and nobody would notice before it is needed.
  if (time <= Date.now()) throw new UsageError('--old-until is over already');
  return old.map((pcrs) => ({ pcrs, until: time }));
}

/** `STATEMENT=REASON`, each naming one statement. */
function readExceptions({ texts }: CommandInput): GateException[] {
  return texts('except').map((text) => {
    const at = text.indexOf('=');
    const [statement, reason] = [text.slice(0, at), text.slice(at + 1).trim()];
    if (at < 1 || reason === '')
      throw new UsageError('--except is the Sid or digest of a statement, =, and a reason');
    return { statement, reason };
  });
}

function readNonce(hex: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2}){16,512}$/.test(hex)) throw new UsageError('--nonce is 16 to 512 bytes in hex');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function readSeconds(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new UsageError('--max-age is a number of seconds');
  return Number(text);
}
