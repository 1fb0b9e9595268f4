import {
  assertAuthority,
  assertNobodyNeedsToAgree,
  assertNamesManifest,
  checkSignatures,
  classifySignatures,
  compareWithInForce,
  type Comparison,
  type ConfigurationFile,
  type ConfiguredNode,
  signConfiguration,
  verifyConfiguration,
} from '../../admin/configurations/index.ts';
import { describeChanges } from '../../policy/index.ts';
import { parseAnyManifest } from '../../shared/documents/any-manifest.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import type { Envelope } from '../../shared/dsse/index.ts';
import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { confirm } from '../common/confirm.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { assertCases, testCommand } from './cases.ts';
import { diffCommand } from './diff.ts';
import { explainCommand } from './explain.ts';
import { readConfigurationFile } from './file.ts';
import { KEYS } from './keys-file.ts';
import { importCommand } from './import.ts';
import { replayCommand } from './replay.ts';
import { lintBeforeSigning, lintCommand } from './lint.ts';
import { describeConfiguration } from './report.ts';

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
    cases: {
      type: 'string',
      value: 'TABLE',
      description: 'refuse to sign what decides a case of this table otherwise than it says: config test',
    },
    keys: { ...KEYS, description: `with --cases: ${KEYS.description}` },
    'with-errors': { type: 'boolean', description: 'sign although config lint finds errors' },
    output: { type: 'string', value: 'FILE', description: 'write the envelope there (default: print it)' },
    yes: {
      type: 'boolean',
      description:
        'do not ask; needed without a terminal where there is no --against, and for what grants something or drops keys',
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

export const commands: readonly Command[] = [
  signCommand,
  verifyCommand,
  lintCommand,
  testCommand,
  explainCommand,
  diffCommand,
  replayCommand,
  importCommand,
];

async function runSign(input: CommandInput): Promise<Outcome> {
  const { positionals, text, flag, json, io } = input;
  const [configurationPath = ''] = positionals;
  const file = await readConfigurationFile(configurationPath, io);
  const node = await readNode(input);
  if (node !== undefined) inFile(configurationPath, () => assertNamesManifest(file, node));
  const comparison = await compareWithOld(input, file, node);
  await assertTable(input, file);
  const key = await readSigningKey(text('key') ?? '');
  if (node !== undefined) assertAuthority(key.publicKey, node.manifest);
  const findings = lintBeforeSigning(file.configuration, node?.manifest, flag('with-errors'));
  const summary = [
    summarise(file, comparison),
    ...(findings.length === 0 ? [] : ['', 'config lint finds', ...findings.map((line) => `  ${line}`)]),
  ].join('\n');
  const isAsked = !flag('yes') && (await confirm(io, summary, `sign as ${key.publicKey}?`));
  if (!isAsked && !flag('yes')) assertNobodyNeedsToAgree(file.configuration, comparison);
  const signed = signConfiguration(file, key.privateKey);
  const output = text('output');
  if (output !== undefined) await writeOutput(output, signed.text);
  const status = [`signed by ${key.publicKey}`, ...describeSignatures(signed.envelope, node)].join('\n');
  const report = isAsked ? status : `${summary}\n\n${status}`;
  // The envelope alone on standard output, so that it can be piped.
  if (output === undefined && !json) io.stderr.write(`${report}\n`);
  return {
    ok: true,
    text: output === undefined ? signed.text : `${report}\n${output} written`,
    data: {
      ...describeAsData(file, comparison, signed.envelope),
      signer: key.publicKey,
      ...(output === undefined ? { envelope: signed.envelope } : { output }),
    },
  };
}

/** @throws CliError CASES_DIFFER */
async function assertTable({ text, io }: CommandInput, { configuration }: ConfigurationFile): Promise<void> {
  const [cases, keys] = [text('cases'), text('keys')];
  if (cases !== undefined) await assertCases(configuration, { cases, keys }, io);
  else if (keys !== undefined) throw new UsageError('--keys goes with --cases');
}

async function runVerify(input: CommandInput): Promise<Outcome> {
  const [configurationPath = ''] = input.positionals;
  const file = await readConfigurationFile(configurationPath, input.io);
  const node = await readNode(input);
  if (node === undefined) throw new TypeError('--manifest is required');
  const signers = inFile(configurationPath, () => verifyConfiguration(file, node));
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

async function readNode({ text, io }: CommandInput): Promise<ConfiguredNode | undefined> {
  const path = text('manifest');
  if (path === undefined) return undefined;
  const bytes = await readInput(path, io);
  return { manifest: inFile(path, () => parseAnyManifest(bytes)), digest: digestManifest(bytes) };
}

/**
 * With a manifest the old one is believed only when enough authorities have signed it: what an attacker has already
 * put into it would not show as a change.
 */
async function compareWithOld(
  { text, io }: CommandInput,
  file: ConfigurationFile,
  node: ConfiguredNode | undefined,
): Promise<Comparison | undefined> {
  const path = text('against');
  if (path === undefined) return undefined;
  const old = await readConfigurationFile(path, io);
  if (node !== undefined) inFile(path, () => verifyConfiguration(old, node));
  return compareWithInForce(file.configuration, old.configuration, node !== undefined);
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

function describeSignatures(envelope: Envelope, node: ConfiguredNode | undefined): string[] {
  const signatures = classifySignatures(envelope, node?.manifest);
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
