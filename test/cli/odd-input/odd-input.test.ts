import { createHash, createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { computeManifestPcr, formatPcrFile } from '../../../attestation/index.ts';
import type { Command } from '../../../cli/common/command.ts';
import { GATE_RECORD_FORMAT, GATE_RECORD_TYPE } from '../../../attestation/key-policy/index.ts';
import { nouns } from '../../../cli/nouns.ts';
import { createSqliteStore } from '../../../parent/store/sqlite-store.ts';
import { createEnvelope, signEnvelope } from '../../../shared/dsse/index.ts';
import { CONFIGURATION_PAYLOAD_TYPE } from '../../../shared/documents/configuration.ts';
import { sampleBzImage, sampleCpio } from '../../attestation/eif/boot-samples.ts';
import * as cbor from '../../attestation/forge/cbor.ts';
import { forgeDocument, forgedPcr } from '../../attestation/forge/document.ts';
import {
  attest,
  configuration as configurationOfReceipt,
  makeReceipt,
  manifestText,
  PCRS,
  REQUEST,
  root as receiptRoot,
  SIGNATURE,
} from '../../audit/receipt/sample-node.ts';
import { SampleLog } from '../../audit/log/sample-log.ts';
import { appendStatements, writeLog } from '../audit/node-log.ts';
import { runHoldfast } from '../in-process.ts';
import { makeConfiguration, makeKey, makeManifest } from '../node-files.ts';
import { parseDescription } from '../../../admin/canton/index.ts';
import { makeObjects } from '../../admin/canton/cluster.ts';
import { encodeVault, makeSampleJoin, makeSampleVault, sampleKey } from '../../admin/vault/sample-vault.ts';
import { makeCantonDescription } from '../../admin/canton/sample-description.ts';
import { ODD_TEXTS, writeOddFiles } from './odd-files.ts';
import { makeColdFiles } from './cold-files.ts';
import { makeRecoveryFiles } from './recovery-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** The request that the sample's rule permits. */
const ASKED = {
  client: 'wallet',
  key: 'hot',
  algorithm: 'ed25519',
  payload: { kind: 'message', message: '00' },
};
/** A table with the one request that the sample's rule permits. */
const CASES = {
  format: 'holdfast-cases/1',
  start: '2026-12-01T12:00:00Z',
  cases: [
    {
      name: 'a message',
      ...ASKED,
      expect: { outcome: 'permitted', rule: 'hot-messages' },
    },
  ],
};

/** Verbs that serve until they are ended, ask a network, or build for minutes: all others are tried. */
const NOT_OFFLINE = new Set([
  'audit witness',
  'cold bundle',
  'gateway kms',
  'gateway status',
  'gateway ethereum',
  'gateway tezos',
  'gateway tezos list',
  'local demo',
  'local up',
  'parent deploy',
  'parent run',
  'parent vsock-proxy',
  'secrets generate',
  'secrets populate',
  'vault apply',
  'vault configure apply',
  'vault configure plan',
  'vault plan',
  'vault upgrade apply',
  'vault upgrade plan',
  'vault upgrade resume',
  'vault upgrade rollback',
  'vault fetch',
  'vault mirror',
]);
const commands = (await Promise.all(Object.values(nouns).map(({ load }) => load()))).flat();
const offline = commands.filter(({ name }) => !NOT_OFFLINE.has(name));

const NOBODY = 'https://127.0.0.1:1';
const NO_STATUS = 'http://127.0.0.1:1';
/** Options with which a verb does its work, beside those that it requires. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'approve reject': ['--pcrs', '--root', '--url'],
  'approve show': ['--pcrs', '--root', '--url'],
  'approve sign': ['--pcrs', '--root', '--url'],
  'attestation verify': ['--root', '--at'],
  'cold identity': ['--passphrase-file'],
  'cold init': ['--passphrase-file'],
  'cold request': ['--message'],
  'cold sign': ['--passphrase-file'],
  doctor: ['--config'],
  'canton plan': ['--objects'],
  'config import': ['--manifest', '--chain'],
  'config replay': ['--origin', '--key'],
  'eif verify': ['--at'],
  'ers acknowledge': ['--backup', '--pcrs', '--manifest', '--root'],
  'ers backup': ['--root'],
  'ers drill': ['--backup', '--share', '--pcrs', '--manifest', '--root', '--signer', '--output'],
  'ers recover': ['--backup', '--share', '--pcrs', '--manifest', '--root'],
  'ers status': ['--root'],
  'ers submit': ['--root'],
  'ers verify': ['--share', '--custodians'],
  'quorum keys import': ['--root', '--node'],
  'key-policy diff': ['--key'],
  'key-policy gate': ['--root'],
  'key-policy lint': ['--key'],
  'node attest': ['--root'],
  'node keys': ['--root'],
  'node pools': ['--root'],
  'key-policy verify-record': ['--root'],
  'receipt verify': ['--root', '--configuration', '--request', '--signature'],
  'node requests': ['--root'],
  'node resume': ['--root'],
  'node explain': ['--root', '--message'],
  'node sign': ['--root', '--message'],
  'quorum keys generate': ['--root', '--node'],
  'quorum keys list': ['--root', '--node'],
  'quorum refresh': ['--root', '--node'],
  'quorum repair': ['--root', '--node'],
  'quorum reshare': ['--root', '--node'],
  'quorum status': ['--root', '--node'],
  'quorum transcript get': ['--root', '--node'],
  'quorum transcript verify': ['--root'],
  'quorum wait': ['--root', '--node'],
  'quorum sign': ['--root', '--node', '--message', '--path'],
  'parent backup': ['--config'],
  'parent check': ['--config'],
  'parent restore': ['--config'],
  'parent snapshots': ['--root'],
  'quorum create': ['--old-pcrs', '--old-until'],
  'parent status': ['--url'],
  'vault check': ['--vault', '--role'],
  'vault init': ['--vault', '--namespace', '--region'],
  // Without them the verb would write into the working copy.
  'vault join': ['--keys', '--output'],
  'vault key': ['--keys'],
  'vault populate': ['--vault'],
  'vault profiles': ['--vault', '--exchange'],
  'vault sheets': ['--vault'],
  'vault status': ['--vault'],
  'vault upgrade status': ['--vault'],
};

/** Flags without which a verb asks a network, or does not end. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  'config sign': ['--yes'],
  doctor: ['--offline'],
  'audit tail': ['--once'],
  'vault populate': ['--template'],
};

/** Words that a verb needs once more beside its good ones. */
const MORE = new Map<string, readonly string[]>();
/** Quorum of two, so that one more manifest is all that it needs. */
const PAIR = { quorum: { size: 2, threshold: 2 } };

const ARN = 'arn:aws:iam::111122223333:role/node';
const VECTORS = new URL('../../vectors/eif/', import.meta.url).pathname;

let folder: string;
let oddFiles: readonly string[];
const at = (name: string): string => join(folder, name);
/** A value for each option and positional with which the verb does its work. */
let good: Map<string, string>;
/** Files that are in order, each of which is odd in the place of another one. */
let goodFiles: readonly string[];
/** What the good files hold before any verb is called. */
let contents: ReadonlyMap<string, Buffer>;
const started = process.cwd();

beforeAll(async () => {
  folder = temporaryFolder();
  // What a verb writes without a place that it was given must not become a file of the project.
  mkdirSync(at('work'));
  process.chdir(at('work'));
  const save = (name: string, content: string | Uint8Array) => {
    writeFileSync(at(name), content, { mode: 0o600 });
    return at(name);
  };
  const key = makeKey();
  const { text: manifest, digest } = makeManifest([key.publicKey]);
  const pcrs = new Map([0, 1, 2, 8].map((index) => [index, forgedPcr(`PCR${index}`)]));
  const forged = forgeDocument((parts) => {
    parts.fields.nonce = cbor.bytes(Buffer.alloc(32, 0xab));
  });
  const configuration = JSON.stringify(makeConfiguration(digest, 7));
  save('copy.json', configuration);
  const signer = save('key.pem', key.pem);
  const root = save('root.der', forged.root);
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'node',
        Effect: 'Allow',
        Principal: { AWS: [ARN] },
        Action: ['kms:Decrypt'],
        Resource: '*',
        Condition: {
          StringEqualsIgnoreCase: { 'kms:RecipientAttestation:PCR0': ['ab'.repeat(48)] },
          DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' },
        },
      },
    ],
  };
  const log = new SampleLog();
  appendStatements(log, 3);
  writeLog(log, at('log'));
  good = new Map([
    ['DOC', save('doc.cbor', forged.document)],
    ['--document', at('doc.cbor')],
    [
      '--pcrs',
      save('pcr.json', formatPcrFile(new Map([...pcrs, [16, computeManifestPcr(Buffer.from(manifest))]]))),
    ],
    ['--old-pcrs', save('old.json', formatPcrFile(pcrs))],
    ['--old-until', '2030-01-01T00:00:00Z'],
    ['--manifest', save('manifest.json', manifest)],
    ['--root', root],
    ['--nonce', 'ab'.repeat(32)],
    ['ID', 'ab'.repeat(16)],
    ['--approver', 'alice'],
    ['--node-role', ARN],
    ['--admin', `${ARN}-admin`],
    ['--url', NOBODY],
    ['--client', 'wallet'],
    ['--key', signer],
    ['--pcr16', 'ab'.repeat(48)],
    ['--kernel', save('kernel', sampleBzImage())],
    ['--ramdisk', save('ramdisk', sampleCpio({ init: '#!' }))],
    ['--cmdline', 'quiet'],
    ['--output', at('output')],
    ['attestation verify --at', 'document'],
    ['eif verify --at', 'any'],
    ['eif verify --pcrs', save('signed-pcrs.json', readFileSync(join(VECTORS, 'signed-p384.pcrs.json')))],
    ['attestation verify --pcrs', at('old.json')],
    ['--config', save('parent.yaml', parentConfig())],
    ['--message', 'ab'],
    ['POLICY', save('policy.json', JSON.stringify(policy))],
    ['OLD', at('policy.json')],
    ['NEW', at('policy.json')],
    ['URL', NO_STATUS],
    ['parent status --url', NO_STATUS],
    ['[URL]', NO_STATUS],
    ['explain CODE', 'PCR_MISMATCH'],
    ['ID', '5e'.repeat(16)],
    ['KEY', 'hot'],
    ['CODE', 'POLICY_DENIED'],
    ['RECORD', save('record.json', signRecord(key.pem, forged.root))],
    ['--signer', key.publicKey],
    ['key-policy verify-record --root', root],
    ['eif describe FILE', save('signed.eif', readFileSync(join(VECTORS, 'signed-p384.eif')))],
    ['eif verify FILE', at('signed.eif')],
    [
      'key-policy lint --key',
      'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012',
    ],
    [
      'key-policy diff --key',
      'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012',
    ],
    ['pcrs diff OLD', at('pcr.json')],
    ['pcrs diff NEW', at('old.json')],
    ['manifest measure FILE', at('manifest.json')],
    ['manifest verify FILE', at('manifest.json')],
    ['config lint FILE', at('copy.json')],
    ['--at', '2026-12-01T12:00:00Z'],
    ['config test FILE', at('copy.json')],
    ['SIGNATORY_YAML', save('signatory.yaml', 'tezos:\n  tz1LbYhmrfhwdpABTKEwNjfvJ8NgMdCVyfwX:\n')],
    ['--client-key', '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29'],
    ['--chain', 'NetXdQprcVkpaWU'],
    ['config diff OLD', at('copy.json')],
    ['config diff NEW', at('copy.json')],
    ['config diff --requests', '100'],
    ['config replay --configuration', at('copy.json')],
    ['config replay --key', log.vkey],
    ['config explain FILE', at('copy.json')],
    ['REQUEST', save('request.json', JSON.stringify(ASKED))],
    ['--cases', save('cases.json', JSON.stringify(CASES))],
    ['--keys', save('keys.json', JSON.stringify({ keys: [{ id: 'hot', publicKey: key.publicKey }] }))],
    ['config sign FILE', at('copy.json')],
    ['config verify FILE', save('signed.json', sign(configuration, key.pem))],
    ['RECEIPT', save('receipt.json', JSON.stringify(makeReceipt({ document: await attest() })))],
    ['receipt verify --pcrs', save('receipt-pcrs.json', formatPcrFile(PCRS))],
    ['quorum transcript verify --pcrs', save('transcript-pcrs.json', formatPcrFile(PCRS))],
    // A transcript that is in order takes a ceremony of several nodes: test/audit/transcript has them.
    ['TRANSCRIPT', save('no-transcript.cbor', 'no transcript')],
    ['quorum transcript verify --after', save('transcript.cbor', 'no transcript')],
    ['quorum transcript verify --manifest', save('transcript-manifest.json', manifestText)],
    ['receipt verify --manifest', save('receipt-manifest.json', manifestText)],
    ['receipt verify --root', save('receipt-root.der', receiptRoot.certificate)],
    ['receipt verify --document', save('receipt-document.cbor', await attest())],
    ['receipt verify --configuration', save('receipt-configuration.json', configurationOfReceipt.file)],
    ['receipt verify --request', save('receipt-request.json', JSON.stringify(REQUEST))],
    ['receipt verify --signature', SIGNATURE.toString('hex')],
    ['parent backup FILE', at('backup-again')],
    ['audit witness-keygen FOLDER', at('witness')],
    ['LOG', at('log')],
    ['--node', save('other.yaml', `url: ${NOBODY}\npcrs: pcr.json\nmanifest: manifest.json\n`)],
    ['--to', '1,2'],
    ['--threshold', '2'],
    ['--lost', '2'],
    ['--path', '0/5'],
    ['--timeout', '1'],
    ['--epoch', '1'],
    [
      'quorum create --manifest',
      save('first.json', makeManifest([key.publicKey], { node: 1, ...PAIR }).text),
    ],
    ['quorum create --pcrs', at('old.json')],
    ['quorum create --old-until', '2030-01-01T00:00:00Z'],
    ['--origin', log.origin],
    ['audit export --key', log.vkey],
    ['audit tail --key', log.vkey],
    ['audit verify --key', log.vkey],
    ['--name', 'witness.example/w1'],
    ['parent restore FILE', at('backup')],
    ['parent snapshots --root', at('host')],
    ['canton render FILE', save('canton.yaml', JSON.stringify(makeCantonDescription()))],
    ['canton render --output', at('rendered')],
    ['canton plan FILE', at('canton.yaml')],
    ['canton check FILE', at('canton.yaml')],
    [
      '--objects',
      save(
        'objects.json',
        JSON.stringify(makeObjects(parseDescription(Buffer.from(JSON.stringify(makeCantonDescription()))))),
      ),
    ],
    ['--fail-on', 'error'],
    ['--vault', save('vault.yaml', encodeVault(makeSampleVault()))],
    ['vault init --vault', at('new-vault.yaml')],
    ['vault init --namespace', 'acme'],
    ['vault init --environment', 'production'],
    ['vault init --region', 'eu-central-1'],
    ['vault init --nodes', '3'],
    ['vault init --threshold', '2'],
    ['vault init --release', '1.4.0'],
    ['vault init --from', './release'],
    ['vault init --recover', `treasury:frost-ed25519:${sampleKey('lost')}`],
    ['vault init --join', save('node-2.join.json', JSON.stringify(makeSampleJoin(2)))],
    ['vault join --role', 'node-1'],
    ['vault join --account', '111111111111'],
    ['vault join --admin', 'arn:aws:iam::111111111111:role/node-admin'],
    ['vault join --region', 'eu-central-1'],
    ['vault join --recovery-key', sampleKey('recovery', 'x25519')],
    ['ers drill --on-failure', 'notify@%n.service'],
    ['vault key NAME', 'operations'],
    ['vault key --keys', at('keys')],
    ['vault join --keys', at('keys')],
    ['vault join --output', at('node-1.join.json')],
    ['vault check --role', 'node-1'],
    ['vault check --statement-key', save('statement.pem', makeKey().pem)],
    ['vault populate --partition', 'wallet'],
    ['vault sheets --output', at('sheets')],
    ['vault profiles --exchange', at('exchange')],
    ['vault profiles --client', 'wallet-backend'],
    ['vault profiles --releases', at('releases')],
    ['vault profiles --output', at('profiles')],
    ['vault status --exchange', at('exchange')],
    ['vault upgrade status --exchange', at('exchange')],
    ['vault upgrade status --work', at('work')],
    ['key-policy lint --fail-on', 'medium'],
    ['key-policy gate --fail-on', 'medium'],
  ]);
  const sample = await makeRecoveryFiles(save);
  for (const [slot, value] of [...sample.good, ...(await makeColdFiles(at('cold'), save))])
    good.set(slot, value);
  for (const [verb, words] of sample.more) MORE.set(verb, words);
  const second = save('second.json', makeManifest([key.publicKey], { node: 2, ...PAIR }).text);
  MORE.set('quorum create', [`--manifest=${second}`]);
  const made = [...new Set([...good.values()].filter((value) => value.startsWith('/')))];
  // One of each kind: the second manifest in the place of a policy shows nothing that the first has not.
  goodFiles = [...new Map(made.map((path) => [kindOf(path), path])).values()];
  oddFiles = writeOddFiles(folder);
  await (await createSqliteStore(at('records.sqlite')).open()).close();
  await codeOf(['parent', 'backup', at('backup'), '--config', at('parent.yaml'), '--json']);
  contents = new Map(
    made
      .filter((path) => existsSync(path) && statSync(path).isFile())
      .map((path) => [path, readFileSync(path)]),
  );
});

// A verb that writes in place was given the files of all others, too.
beforeEach(() => {
  for (const [path, bytes] of contents) {
    if (!readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
  }
});

function sign(configuration: string, pem: string): string {
  const envelope = createEnvelope(CONFIGURATION_PAYLOAD_TYPE, Buffer.from(configuration));
  return JSON.stringify(signEnvelope(envelope, createPrivateKey(pem)));
}

afterAll(() => {
  process.chdir(started);
});

/** JSON is YAML too. */
function parentConfig(): string {
  return JSON.stringify({
    enclave: { cid: 16 },
    transport: { unix: folder },
    artifacts: { manifest: at('manifest.json'), configuration: at('signed.json'), secrets: folder },
    store: { sqlite: at('records.sqlite') },
    egress: { allowlist: [{ host: 'kms.eu-central-1.amazonaws.com', port: 443, networks: ['10.0.3.0/24'] }] },
    ingress: { listen: '127.0.0.1:0' },
    status: { listen: '127.0.0.1:0' },
  });
}

/** A decision of the gate, signed with that key, about an enclave under that root. */
function signRecord(pem: string, root: Uint8Array): string {
  const digest = 'ab'.repeat(32);
  const time = '2026-01-31T12:00:00Z';
  const record = {
    format: GATE_RECORD_FORMAT,
    decidedAt: time,
    keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012',
    policySha256: digest,
    replacesSha256: null,
    document: {
      sha256: digest,
      root: { name: 'CN=root', sha256: createHash('sha256').update(root).digest('hex'), isAws: false },
      moduleId: 'i-1-enc1',
      instanceId: null,
      signedAt: time,
      nonce: digest,
      pcrs: { PCR0: 'ab'.repeat(48) },
    },
    exceptions: [],
    findings: [],
    gained: [],
    lost: [],
  };
  const envelope = createEnvelope(GATE_RECORD_TYPE, Buffer.from(JSON.stringify(record)));
  return JSON.stringify(signEnvelope(envelope, createPrivateKey(pem)));
}

/** An option or positional, and what it takes. */
interface Slot {
  readonly name: string;
  readonly takes: 'input' | 'output' | 'text';
  readonly isRequired: boolean;
}

const FILE_VALUES = new Set(['FILE', 'DOC', 'PEM', 'POLICY', 'OLD', 'NEW', 'RECORD', 'RECEIPT', 'TABLE']);
/** What a verb writes: an odd name there must not become a file of the project. */
const OUTPUTS = new Set([
  'vault init --vault',
  '--keys',
  '--output',
  '--pcrs-out',
  '--record',
  'cold open --receipt',
  'cold open --review',
  '--codes',
  'cold init FOLDER',
  'parent backup FILE',
  'audit witness-keygen FOLDER',
]);

function slotsOf(command: Command): Slot[] {
  const { positionals, options } = command;
  const words = positionals.split(' ').filter((word) => word !== '');
  const takes = (name: string, value: string): Slot['takes'] => {
    if (OUTPUTS.has(name) || OUTPUTS.has(`${command.name} ${name}`)) return 'output';
    return FILE_VALUES.has(value) ? 'input' : 'text';
  };
  return [
    // In brackets where a profile may name it: without one it is needed.
    ...words
      .map((word) => word.replaceAll(/[[\]]|\.{3}/g, ''))
      .map((name) => ({ name, takes: takes(name, name), isRequired: true }) as const),
    ...Object.entries(options)
      .filter(([, { type }]) => type === 'string')
      .map(([name, { value = '', required }]) => ({
        name: `--${name}`,
        takes: takes(`--${name}`, value),
        isRequired: required === true,
      })),
  ];
}

/** A call with everything that the verb needs, and some slots changed. */
function callWith(command: Command, changes: ReadonlyMap<string, string> = new Map()): string[] {
  const needed = new Set(NEEDED[command.name]);
  const words = slotsOf(command)
    .filter(({ name, isRequired }) => isRequired || changes.has(name) || needed.has(name))
    .flatMap(({ name }) => {
      const value = changes.get(name) ?? goodFor(command, name);
      return name.startsWith('--') ? [`${name}=${value}`] : [value];
    });
  const flags = FLAGS[command.name] ?? [];
  return [...command.name.split(' '), ...words, ...(MORE.get(command.name) ?? []), ...flags, '--json'];
}

function goodFor({ name }: Command, slot: string): string {
  return good.get(`${name} ${slot}`) ?? good.get(slot) ?? '1';
}

/** The code that a call answers: `TAKEN` where it did what it was asked for. */
async function codeOf(args: readonly string[]): Promise<string> {
  const { exit, out } = await runHoldfast(args, { stdin: '{}' });
  if (out === '') return `EXIT ${exit}`;
  // A stream prints an object a line, and its outcome last.
  const outcome = out.slice(out.lastIndexOf('\n{') + 1);
  const { error } = JSON.parse(outcome) as { error?: { code?: string } };
  return error?.code ?? 'TAKEN';
}

function valuesFor(command: Command, { name, takes }: Slot): readonly string[] {
  if (takes === 'text') return ODD_TEXTS;
  if (takes === 'output')
    return ['', folder, at('missing/x'), '/dev/null/x', at('x'.repeat(300)), at('manifest.json/x')];
  const path = goodFor(command, name);
  return [...foreignFiles(name, path), ...cut(path), ...replaceLeaves(path)];
}

/** How many verbs have had files of another kind, by option and the kind of file that it takes. */
const verbsTried = new Map<string, number>();

/**
 * Files of another kind than an option takes: all of them for the first verb that has the option, and then a third in turn,
 * as what tells one kind from another is the same code for every verb.
 */
function foreignFiles(name: string, path: string): readonly string[] {
  const kind = `${name} ${kindOf(path)}`;
  const turn = verbsTried.get(kind) ?? 0;
  verbsTried.set(kind, turn + 1);
  return [...oddFiles, ...goodFiles].filter((_, index) => turn === 0 || index % 3 === turn % 3);
}

/**
 * What a verb answers where all is in order: who asks a node finds nobody, the gate's document is of another day, and there
 * is no transcript, and nobody has told where a vault's nodes are.
 */
const IN_ORDER = /^(?:TAKEN|[A-Z]+_UNREACHABLE|CERTIFICATE_EXPIRED|TRANSCRIPT_MALFORMED|VAULT_NOT_SERVING)$/;
const PAIRS = 20;

test('names no verb as one of the network that is not there', () => {
  const names = new Set(commands.map(({ name }) => name));
  expect([...NOT_OFFLINE].filter((name) => !names.has(name))).toEqual([]);
});

describe.each(offline.map((command) => [command.name, command] as const))('%s', (_name, command) => {
  test('answers no odd input with INTERNAL', { timeout: 300_000 }, async () => {
    const slots = slotsOf(command);
    expect(await codeOf(callWith(command))).toMatch(IN_ORDER);
    const found: string[] = [];
    const attempt = async (changes: ReadonlyMap<string, string>) => {
      if ((await codeOf(callWith(command, changes))) !== 'INTERNAL') return;
      found.push([...changes].map(([name, value]) => `${name} ${value.slice(-60)}`).join(', '));
    };
    const choices = slots.map((slot) => [slot.name, valuesFor(command, slot)] as const);
    for (const [name, values] of choices) {
      for (const value of values) await attempt(new Map([[name, value]]));
    }
    // Two at once, in an order that is the same every time.
    for (let index = 0; slots.length > 1 && index < PAIRS; index += 1) {
      const pick = ([name, values]: (typeof choices)[number], turn: number) =>
        [name, values[(index * turn) % values.length] ?? ''] as const;
      const [one, other] = [index % slots.length, (index * 3 + 1) % slots.length];
      const pair = [choices[one], choices[other]].flatMap((choice, turn) =>
        choice === undefined ? [] : [pick(choice, 7 + 4 * turn)],
      );
      await attempt(new Map(pair));
    }
    expect(found).toEqual([]);
  });
});

test('had no verb write into the folder that it was called in', () => {
  expect(readdirSync(at('work'))).toEqual([]);
});

/** What a file is: the members of a JSON file, or of what it signs, and the first bytes of any other. */
function kindOf(path: string): string {
  if (!existsSync(path)) return 'missing';
  if (!statSync(path).isFile()) return 'folder';
  const bytes = readFileSync(path);
  try {
    const value = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>;
    return [...Object.keys(value), value['format'], value['payloadType'], value['type']].join();
  } catch {
    return bytes.toString('latin1', 0, 24);
  }
}

/** The file cut short, and with one bit changed, at several places. */
function cut(path: string): string[] {
  if (!existsSync(path)) return [];
  const whole = readFileSync(path);
  return Array.from({ length: 12 }, (_, index) => {
    const name = at(`cut-${createHash('sha256').update(`${path} ${index}`).digest('hex').slice(0, 16)}`);
    const place = Math.floor((whole.length * index) / 12);
    const content = Buffer.from(index % 2 === 0 ? whole.subarray(0, place) : whole);
    if (index % 2 === 1) content[place] = (content[place] ?? 0) ^ (1 << (index % 8));
    writeFileSync(name, content, { mode: 0o600 });
    return name;
  });
}

const ODD_VALUES: readonly unknown[] = [null, [], {}, '', -1, 1e21, true, ['\u0000'], 'x'.repeat(2_000)];
/** So many files are made of one; the odd values take turns. */
const MAX_LEAVES = 40;

/** A JSON file with one of its values at a time replaced, or taken out; none for any other file. */
function replaceLeaves(path: string): string[] {
  let whole: unknown;
  try {
    whole = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
  const places = listPlaces(whole);
  return Array.from({ length: Math.min(MAX_LEAVES, places.length * ODD_VALUES.length) }, (_, index) => {
    const copy = structuredClone(whole);
    const place = places[index % places.length] ?? [];
    const parent = place.slice(0, -1).reduce<unknown>((at, key) => Reflect.get(Object(at), key), copy);
    const value = ODD_VALUES[(index + Math.floor(index / places.length)) % ODD_VALUES.length];
    if (index % 10 === 9) Reflect.deleteProperty(Object(parent), place.at(-1) ?? '');
    else Reflect.set(Object(parent), place.at(-1) ?? '', value);
    const name = at(`leaf-${createHash('sha256').update(`${path} ${index}`).digest('hex').slice(0, 16)}`);
    writeFileSync(name, JSON.stringify(copy), { mode: 0o600 });
    return name;
  });
}

/** The way to each value within, from the top. */
function listPlaces(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => [
    [key],
    ...listPlaces(below).map((place) => [key, ...place]),
  ]);
}
