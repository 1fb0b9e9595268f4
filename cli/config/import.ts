import { stringify } from 'yaml';
import {
  ABSENCES,
  type Absence,
  type ImportReport,
  importSignatory,
  type ReportedField,
  type SignatoryImport,
} from '../../admin/signatory/index.ts';
import { parseAnyManifest } from '../../shared/documents/any-manifest.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';
import { printable } from '../common/printable.ts';
import { readConfigurationFile } from './file.ts';

export const importCommand: Command = {
  name: 'config import',
  summary:
    "Make a configuration and a door's gateway.yaml from Signatory's configuration, and report what became of each field.",
  positionals: 'SIGNATORY_YAML',
  options: {
    'client-key': {
      type: 'string',
      value: 'HEX',
      required: true,
      description: "the door's Ed25519 public request key, 32 bytes",
    },
    client: { type: 'string', value: 'ID', description: 'id of the door as a client (default: tezos-door)' },
    manifest: {
      type: 'string',
      value: 'FILE',
      setting: 'manifest',
      description: "the node's manifest; without --into it has to be there",
    },
    into: {
      type: 'string',
      value: 'FILE',
      description: 'add clients, keys and rules to this configuration, as its next version',
    },
    chain: {
      type: 'string',
      value: 'CHAIN',
      description: 'the chain of keys whose entry does not name one, such as NetXdQprcVkpaWU',
    },
    without: {
      type: 'string',
      value: 'NAME',
      multiple: true,
      description: `let keys sign without what only Signatory can ask: ${ABSENCES.join(' or ')}`,
    },
    output: { type: 'string', value: 'FILE', description: 'write the configuration there' },
    gateway: {
      type: 'string',
      value: 'FILE',
      description: 'write the configuration of "gateway tezos" there: gateway.yaml',
    },
  },
  examples: [
    'holdfast config import signatory.yaml --client-key 3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29 \\',
    '      --manifest manifest.json --chain NetXdQprcVkpaWU --output draft.json --gateway gateway.yaml',
  ],
  run: runImport,
};

async function runImport(input: CommandInput): Promise<Outcome> {
  const { positionals, text, io } = input;
  const [path = ''] = positionals;
  const output = text('output');
  const gateway = text('gateway');
  for (const file of [output, gateway]) {
    if (file === '-') throw new UsageError('--output and --gateway name files; --json prints both documents');
    if (file !== undefined) await assertWritable(file);
  }
  const into = await readBase(input);
  const manifest = into?.manifest ?? (await readManifestDigest(input));
  const bytes = await readInput(path, io);
  const imported = inFile(path, () =>
    importSignatory(bytes, {
      manifest,
      into,
      client: { id: text('client') ?? 'tezos-door', publicKey: readPublicKey(text('client-key') ?? '') },
      chain: text('chain'),
      without: readAbsences(input),
    }),
  );
  if (output !== undefined)
    await writeOutput(output, `${JSON.stringify(imported.configuration, undefined, 2)}\n`);
  const written = output === undefined ? [] : [output];
  if (gateway !== undefined && imported.gateway !== undefined) {
    await writeOutput(gateway, stringify(imported.gateway, { aliasDuplicateObjects: false }), {
      mode: 0o600,
    });
    written.push(gateway);
  }
  const { report, configuration } = imported;
  return {
    ok: true,
    text: describeImport(imported, written),
    data: { report, configuration, gateway: imported.gateway ?? null },
  };
}

async function readBase({ text, io }: CommandInput) {
  const path = text('into');
  return path === undefined ? undefined : (await readConfigurationFile(path, io)).configuration;
}

async function readManifestDigest({ text, io }: CommandInput): Promise<string> {
  const path = text('manifest');
  if (path === undefined) throw new UsageError('give --manifest, or --into a configuration that names it');
  const bytes = await readInput(path, io);
  inFile(path, () => parseAnyManifest(bytes));
  return Buffer.from(digestManifest(bytes)).toString('hex');
}

function readPublicKey(hex: string): string {
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new UsageError('--client-key is 64 hex digits in lower case');
  return hex;
}

function readAbsences({ texts }: CommandInput): Set<Absence> {
  return new Set(
    texts('without').map((name) => {
      const found = ABSENCES.find((known) => known === name);
      if (found === undefined) throw new UsageError(`--without is ${ABSENCES.join(' or ')}`);
      return found;
    }),
  );
}

const TITLES: Readonly<Record<keyof ImportReport, string>> = {
  carried: 'carried over',
  stricter: 'carried over, and stricter now',
  dropped: 'not carried over',
};

function describeImport({ keys, report, gateway }: SignatoryImport, written: readonly string[]): string {
  const lists = (Object.keys(TITLES) as (keyof ImportReport)[]).flatMap((list) => [
    `${TITLES[list]}: ${report[list].length}`,
    ...report[list].map(describeField),
  ]);
  return [
    ...lists,
    ...keys.map(({ address, key }) => `key ${key.id}: a new one of the node, in place of ${address}`),
    ...(gateway === undefined ? ['no key signs anything: there is nothing for a door to do'] : []),
    ...written.map((file) => `${file} written`),
  ].join('\n');
}

const describeField = ({ field, note }: ReportedField) => `  ${printable(field)}: ${note}`;
