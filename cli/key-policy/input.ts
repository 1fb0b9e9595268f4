import { pinManifest, pinManifestIfUnnamed } from '../../admin/key-policy/index.ts';
import type { PcrValues } from '../../attestation/index.ts';
import { parseKeyPolicy, SEVERITIES, type Severity } from '../../attestation/key-policy/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { readManifestFile } from '../common/manifest-file.ts';
import { readPcrFile } from '../common/trust-files.ts';

const MAX_POLICY_FILE_BYTES = 128 * 1024;
const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[a-zA-Z0-9-]+$/;
const ROLE_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:(?:role|user)\/[\x21-\x7e]+$/;

/** Options that several verbs share, described once. */
export const OPTIONS = {
  key: { type: 'string', value: 'ARN', description: 'the KMS key (default: the one that --manifest names)' },
  manifest: {
    type: 'string',
    value: 'FILE',
    setting: 'manifest',
    settingUnless: 'key',
    description: "the node's manifest: key, encryption context and PCR16",
  },
  pcrs: { type: 'string', value: 'FILE', setting: 'pcrs', description: "the image's pcr.json" },
  'old-pcrs': {
    type: 'string',
    multiple: true,
    value: 'FILE',
    description: 'pcr.json of an image that may decrypt beside it during a roll-out',
  },
  'node-role': {
    type: 'string',
    value: 'ARN',
    setting: 'nodeRole',
    description: "the parent instance's role",
  },
  admin: {
    type: 'string',
    multiple: true,
    value: 'ARN',
    setting: 'admins',
    description: 'a role or user that administrates the key; may be given again',
  },
  'fail-on': {
    type: 'string',
    value: 'SEVERITY',
    description: `refuse from this severity on: ${SEVERITIES.join(', ')} (default: medium)`,
  },
} as const satisfies Record<string, OptionSpec>;

/** A policy, and which of its key's it is, where the file says so. */
export interface NamedPolicy {
  readonly text: string;
  readonly name?: string;
}

/**
 * A policy document, bare or as "aws kms get-key-policy" prints it, that is the key's policy `default`.
 * @throws CliError POLICY_NAME for another, such as AWS_RAM
 */
export async function readPolicy(path: string, input: CommandInput): Promise<string> {
  const { text, name = 'default' } = await readNamedPolicy(path, input);
  if (name === 'default') return text;
  throw new CliError(
    'POLICY_NAME',
    'the policy "default" of the key is expected, which PutKeyPolicy writes',
    {
      file: path,
      name,
    },
  );
}

/** A policy document, bare or as "aws kms get-key-policy" prints it, whatever its name. */
export async function readNamedPolicy(path: string, { io }: CommandInput): Promise<NamedPolicy> {
  const text = Buffer.from(await readInput(path, io, MAX_POLICY_FILE_BYTES)).toString('utf8');
  const policy = unwrapPolicy(text);
  // Here it is known which of several files is at fault.
  inFile(path, () => parseKeyPolicy(policy.text));
  return policy;
}

function unwrapPolicy(text: string): NamedPolicy {
  try {
    const value = parseJson(text, { maxBytes: MAX_POLICY_FILE_BYTES, maxDepth: 20 });
    if (typeof value === 'object' && value !== null && 'Policy' in value && !Array.isArray(value)) {
      const { Policy: policy, PolicyName: name } = value;
      if (typeof policy === 'string')
        return typeof name === 'string' ? { text: policy, name } : { text: policy };
    }
  } catch (error) {
    // The policy's own parser says what is wrong with it.
    if (!(error instanceof JsonError)) throw error;
  }
  return { text };
}

/** The node that a manifest describes, with the PCR16 that it measures to. */
export interface Node {
  readonly manifest: Manifest;
  readonly pcr16: Uint8Array;
}

export async function readNode({ text, io }: CommandInput): Promise<Node | undefined> {
  const path = text('manifest');
  if (path === undefined) return undefined;
  const { manifest, pcr16 } = await readManifestFile(path, io);
  return { manifest, pcr16: new Uint8Array(Buffer.from(pcr16, 'hex')) };
}

export function readKeyArn(input: CommandInput, node: Node | undefined): string {
  const arn = readOptionalKeyArn(input, node);
  if (arn === undefined) throw new UsageError('--key or --manifest has to name the KMS key');
  return arn;
}

/** The key that was named, if one was. */
export function readOptionalKeyArn({ text }: CommandInput, node: Node | undefined): string | undefined {
  const arn = text('key') ?? node?.manifest.kms.keyArn;
  if (arn === undefined) return undefined;
  if (!KEY_ARN.test(arn)) throw new UsageError('--key is the ARN of a key, not of an alias');
  if (node !== undefined && arn !== node.manifest.kms.keyArn) {
    throw new UsageError('--key is not the key of the manifest');
  }
  return arn;
}

/** Roles and users by ARN. */
export function readArns({ texts }: CommandInput, option: 'admin' | 'node-role'): readonly string[] {
  const arns = texts(option);
  const wrong = arns.find((arn) => !ROLE_ARN.test(arn));
  if (wrong !== undefined) throw new UsageError(`--${option}: ${wrong} is not the ARN of a role or user`);
  return arns;
}

/**
 * A pcr.json, with the manifest's PCR16 added where it names none.
 * @throws AttestationError PCR_FILE_…; AdminError MANIFEST_PCR_MISMATCH
 */
export async function readPcrs(
  path: string,
  { io }: CommandInput,
  node: Node | undefined,
): Promise<PcrValues> {
  const pcrs = await readPcrFile(path, io);
  return node === undefined ? pcrs : pinManifest(pcrs, node.pcr16);
}

/** The images that may stay, each with a PCR16 of its own where its pcr.json names one. */
export async function readOldPcrs(
  input: CommandInput,
  node: Node | undefined,
): Promise<readonly PcrValues[]> {
  const images: PcrValues[] = [];
  for (const path of input.texts('old-pcrs')) {
    const pcrs = await readPcrFile(path, input.io);
    images.push(node === undefined ? pcrs : pinManifestIfUnnamed(pcrs, node.pcr16));
  }
  return images;
}

export function readSeverity({ text }: CommandInput): Severity {
  const wanted = text('fail-on') ?? 'medium';
  const severity = SEVERITIES.find((one) => one === wanted);
  if (severity === undefined) throw new UsageError(`--fail-on is one of ${SEVERITIES.join(', ')}`);
  return severity;
}

/** Milliseconds since 1970, from ISO 8601 with a zone. */
export function readTime(value: string, option: string): number {
  const time = /^[0-9]{4}-.*(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--${option} is a time such as 2026-11-01T00:00:00Z`);
  return time;
}
