import { type Envelope, MAX_ENVELOPE_BYTES, signEnvelope } from '../../shared/dsse/index.ts';
import { openConfiguration } from '../../shared/node/configuration.ts';
import { ConfigurationError } from '../../shared/node/errors.ts';
import { digestManifest, type Manifest, parseManifest } from '../../shared/node/manifest.ts';
import { confirm } from '../common/confirm.ts';
import { type Command, type CommandInput, type Outcome, readInput } from '../command.ts';
import {
  type CheckedSignature,
  checkSignatures,
  type ConfigurationFile,
  readConfigurationFile,
} from './file.ts';
import { compareConfigurations, type ConfigurationChange, describeChanges } from '../../policy/index.ts';
import { describeConfiguration } from './report.ts';
import { CliError } from '../errors.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';

/** The manifest's parts that a configuration has to fit. */
interface Node {
  readonly manifest: Manifest;
  readonly digest: Uint8Array;
}

interface Comparison {
  readonly version: number;
  readonly isVerified: boolean;
  readonly changes: readonly ConfigurationChange[];
}

const AGAINST = {
  type: 'string',
  value: 'OLD',
  description: 'the configuration in force: show what changes, refuse a version that is not newer',
} as const;

const signCommand: Command = {
  name: 'config sign',
  summary:
    'Show a configuration and sign it. An envelope gets one more signature; anything else becomes an envelope.',
  positionals: 'FILE',
  options: {
    key: {
      type: 'string',
      value: 'PEM',
      required: true,
      description:
        'Ed25519 private key, PKCS #8 without a password; a plain file that others may read is refused (chmod 600)',
    },
    manifest: {
      type: 'string',
      value: 'FILE',
      setting: 'manifest',
      description: 'refuse a configuration of another manifest, and a key that is none of its authorities',
    },
    against: AGAINST,
    output: { type: 'string', value: 'FILE', description: 'write the envelope there (default: print it)' },
    yes: {
      type: 'boolean',
      description: 'do not ask; without a terminal, sign what grants something or drops keys all the same',
    },
  },
  examples: [
    'openssl genpkey -algorithm ed25519 -out authority.pem && chmod 600 authority.pem',
    'holdfast config sign configuration.json --key authority.pem --manifest manifest.json --output signed.json',
    'holdfast config sign signed.json --key second.pem --manifest manifest.json --against in-force.json \\',
    '      --output signed.json',
  ],
  run: runSign,
};

const verifyCommand: Command = {
  name: 'config verify',
  summary:
    "Verify a signed configuration as the node does: enough of the manifest's authorities, and this manifest.",
  positionals: 'FILE',
  options: {
    manifest: {
      type: 'string',
      value: 'FILE',
      required: true,
      setting: 'manifest',
      description: "the node's manifest",
    },
    against: AGAINST,
  },
  examples: [
    'holdfast config verify signed.json --manifest manifest.json',
    'holdfast config verify signed.json --manifest manifest.json --against in-force.json --json',
  ],
  run: runVerify,
};

export const commands: readonly Command[] = [signCommand, verifyCommand];

async function runSign(input: CommandInput): Promise<Outcome> {
  const { positionals, text, flag, json, io } = input;
  const [configurationPath = ''] = positionals;
  const file = await readConfigurationFile(configurationPath, io);
  const node = await readNode(input);
  if (node !== undefined) inFile(configurationPath, () => assertManifest(file, node));
  const comparison = await compareWithOld(input, file, node);
  const key = await readSigningKey(text('key') ?? '');
  if (node?.manifest.configurationAuthority.keys.includes(key.publicKey) === false) {
    throw new CliError('KEY_NOT_AUTHORITY', 'the manifest does not name this key', {
      key: key.publicKey,
      authorities: node.manifest.configurationAuthority.keys,
    });
  }
  const summary = summarise(file, comparison);
  const isAsked = !flag('yes') && (await confirm(io, summary, `sign as ${key.publicKey}?`));
  if (!isAsked && !flag('yes')) assertNobodyNeedsToAgree(file, comparison);
  const signed = signEnvelope(file.envelope, key.privateKey);
  const bytes = encodeEnvelope(signed);
  const output = text('output');
  if (output !== undefined) await writeOutput(output, bytes);
  const status = [`signed by ${key.publicKey}`, ...describeSignatures(signed, node)].join('\n');
  const report = isAsked ? status : `${summary}\n\n${status}`;
  // The envelope alone on standard output, so that it can be piped.
  if (output === undefined && !json) io.stderr.write(`${report}\n`);
  return {
    ok: true,
    text: output === undefined ? bytes : `${report}\n${output} written`,
    data: {
      ...describeAsData(file, comparison, signed),
      signer: key.publicKey,
      ...(output === undefined ? { envelope: signed } : { output }),
    },
  };
}

/**
 * What nobody was asked about may take permissions away. It may give none, and drop no key: nothing brings that back.
 * @throws CliError DECLINED
 */
function assertNobodyNeedsToAgree(
  { configuration }: ConfigurationFile,
  comparison: Comparison | undefined,
): void {
  const changes = comparison?.changes ?? [];
  const grants = changes
    .filter(({ grants: isGrant }) => isGrant)
    .map(({ subject, id, text }) => `${subject} ${id}: ${text}`);
  const isNew = (id: string) =>
    comparison === undefined ||
    changes.some((change) => change.subject === 'drop' && change.kind !== 'removed' && change.id === id);
  const drops = (configuration.drop ?? [])
    .filter(({ id }) => isNew(id))
    .map(({ id, type }) => `${type} ${id}`);
  if (grants.length === 0 && drops.length === 0) return;
  const what = grants.length > 0 ? 'grants more than the configuration in force' : 'drops keys for good';
  throw new CliError('DECLINED', `it ${what}, and there is no terminal to ask at`, { grants, drops });
}

async function runVerify(input: CommandInput): Promise<Outcome> {
  const [configurationPath = ''] = input.positionals;
  const file = await readConfigurationFile(configurationPath, input.io);
  const node = await readNode(input);
  if (node === undefined) throw new TypeError('--manifest is required');
  const signers = inFile(configurationPath, () => openSigned(file, node));
  const comparison = await compareWithOld(input, file, node);
  return {
    ok: true,
    text: [
      summarise(file, comparison),
      '',
      ...describeSignatures(file.envelope, node),
      'verified: enough authorities of this manifest have signed',
    ].join('\n'),
    data: { ...describeAsData(file, comparison, file.envelope), signers },
  };
}

async function readNode({ text, io }: CommandInput): Promise<Node | undefined> {
  const path = text('manifest');
  if (path === undefined) return undefined;
  const bytes = await readInput(path, io);
  return { manifest: inFile(path, () => parseManifest(bytes)), digest: digestManifest(bytes) };
}

function assertManifest({ configuration }: ConfigurationFile, { digest }: Node): void {
  const expected = Buffer.from(digest).toString('hex');
  if (configuration.manifest === expected) return;
  throw new ConfigurationError('CONFIGURATION_OTHER_MANIFEST', 'the configuration is for another manifest', {
    expected,
    actual: configuration.manifest,
  });
}

/** What the node itself does, with a refusal that says who has signed. */
function openSigned(file: ConfigurationFile, node: Node): readonly string[] {
  const { threshold } = node.manifest.configurationAuthority;
  const envelope = file.isPlain ? encodeEnvelope(file.envelope) : file.bytes;
  try {
    return openConfiguration(Buffer.from(envelope), node).signers;
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.code !== 'CONFIGURATION_UNDER_SIGNED') throw error;
    const signatures = classify(file.envelope, node);
    throw new ConfigurationError(error.code, error.message, {
      expected: threshold,
      actual: signatures.filter(({ counts }) => counts).length,
      signatures: signatures.map(({ key, verdict }) => `${key}: ${verdict}`),
    });
  }
}

/**
 * With a manifest the old one is believed only when enough authorities have signed it: what an attacker has already
 * put into it would not show as a change.
 */
async function compareWithOld(
  { text, io }: CommandInput,
  file: ConfigurationFile,
  node: Node | undefined,
): Promise<Comparison | undefined> {
  const path = text('against');
  if (path === undefined) return undefined;
  const old = await readConfigurationFile(path, io);
  if (node !== undefined) inFile(path, () => openSigned(old, node));
  const { version } = old.configuration;
  if (file.configuration.version <= version) {
    throw new CliError('VERSION_NOT_NEWER', 'the version is not above the one in force', {
      inForce: version,
      actual: file.configuration.version,
    });
  }
  const changes = compareConfigurations(old.configuration, file.configuration);
  return { version, isVerified: node !== undefined, changes };
}

function encodeEnvelope(envelope: Envelope): string {
  const text = `${JSON.stringify(envelope, undefined, 2)}\n`;
  if (text.length <= MAX_ENVELOPE_BYTES) return text;
  throw new CliError('ENVELOPE_TOO_LARGE', 'no node takes an envelope of this length', {
    actual: text.length,
    maximum: MAX_ENVELOPE_BYTES,
  });
}

function summarise(file: ConfigurationFile, comparison: Comparison | undefined): string {
  if (comparison === undefined) return describeConfiguration(file);
  return [
    describeConfiguration(file),
    '',
    describeChanges(comparison.changes, comparison.version),
    ...(comparison.isVerified ? [] : ['  (nobody verified the signatures of the old one: give --manifest)']),
  ].join('\n');
}

interface ClassifiedSignature extends CheckedSignature {
  readonly verdict: string;
  readonly counts: boolean;
}

function classify(envelope: Envelope, node: Node | undefined): ClassifiedSignature[] {
  const authorities = node?.manifest.configurationAuthority.keys;
  return checkSignatures(envelope).map(({ key, isValid }) => {
    const isAuthority = authorities?.includes(key) ?? true;
    const verdict = !isValid ? 'DOES NOT VERIFY' : isAuthority ? 'good' : 'NO AUTHORITY of this manifest';
    return { key, isValid, verdict, counts: isValid && isAuthority };
  });
}

function describeSignatures(envelope: Envelope, node: Node | undefined): string[] {
  const signatures = classify(envelope, node);
  const count = signatures.filter(({ counts }) => counts).length;
  const threshold = node?.manifest.configurationAuthority.threshold;
  return [
    threshold === undefined
      ? `${count} good signatures; without --manifest nobody knows whose are needed`
      : `${count} of ${threshold} signatures that are needed`,
    ...signatures.map(({ key, verdict }) => `  ${key}: ${verdict}`),
  ];
}

function describeAsData(file: ConfigurationFile, comparison: Comparison | undefined, envelope: Envelope) {
  return {
    digest: file.digest,
    configuration: file.configuration,
    signatures: checkSignatures(envelope),
    ...(comparison === undefined ? {} : { against: comparison }),
  };
}
