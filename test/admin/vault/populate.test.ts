import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseVault } from '../../../admin/vault/index.ts';
import {
  assertAccount,
  describePartition,
  type PartitionDescription,
  planPartition,
  type PlannedValue,
  populatePartition,
  parseValues,
  selectEntries,
  renderValues,
} from '../../../admin/vault/populate/index.ts';
import { readSources } from '../../../cli/vault/populate-sources/read-sources.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { PARTS } from './sample-parts.ts';
import { ACCOUNTS, makeSampleVault, sampleKey } from './sample-vault.ts';

const SEED =
  '-----BEGIN NATS USER JWT-----\neyJ\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\nSU\n------END USER NKEY SEED------\n';

/** Certificate of a node and its private key, as OpenSSL writes them one after the other. */
function makeIdentity(): string {
  return execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=node-1',
      '-keyout',
      '-',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
}
const NATS_PEM = makeIdentity();

let aws: LocalAws;
let client: SecretsManagerClient;
let folder: string;
let wallet: PartitionDescription;

beforeEach(async () => {
  aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) });
  onTestFinished(() => aws.close());
  client = new SecretsManagerClient({
    ...aws.clientOptions('secretsmanager', 'eu-central-1'),
    credentials: aws.directory.createAccessKey({
      accountId: ACCOUNTS[0],
      userName: 'admin',
      policies: [ADMINISTRATOR_POLICY],
    }),
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  folder = temporaryFolder();
  writeFileSync(join(folder, 'nats.creds'), SEED, { mode: 0o600 });
  writeFileSync(join(folder, 'nats.pem'), NATS_PEM, { mode: 0o600 });
  wallet = describePartition(sample(), 'wallet');
});

function sample() {
  const vault = makeSampleVault((change) => {
    change.nodes.splice(2);
    change.clients.push({ id: 'kms-door', publicKey: sampleKey('kms-door'), person: null });
    change.parts = {
      store: PARTS.store,
      nats: { ...PARTS.nats, credentials: true },
      gateways: [{ id: 'payments', protocol: 'kms', client: 'kms-door' }],
    };
  });
  return parseVault(Buffer.from(JSON.stringify(vault)));
}

const SOURCES: Sources = Object.fromEntries(
  [1, 2].flatMap((node) => [
    [`nats-node-${node}-identity`, { file: 'nats.pem' }],
    [`nats-node-${node}-credentials`, { file: 'nats.creds' }],
  ]),
);

type Sources = Readonly<Record<string, object>>;

async function plan(
  sources: Sources = SOURCES,
  more: { rotate?: string; environment?: Record<string, string>; description?: PartitionDescription } = {},
): Promise<readonly PlannedValue[]> {
  const { description = wallet, environment = process.env, rotate } = more;
  const text = JSON.stringify({
    format: 'holdfast-populate/1',
    partition: description.partition,
    values: sources,
  });
  const signal = AbortSignal.timeout(15_000);
  const parsed = parseValues(Buffer.from(text), description);
  const entries = selectEntries(description, parsed, rotate);
  const values = await readSources(entries, parsed, { folder, environment, signal });
  return await planPartition(description, entries, values, { client, rotate, signal });
}

const apply = async (planned: readonly PlannedValue[], onWritten?: () => void) =>
  await populatePartition(wallet, planned, { client, signal: AbortSignal.timeout(15_000) }, onWritten);

const actions = (planned: readonly PlannedValue[]) =>
  Object.fromEntries(planned.map(({ entry, action }) => [entry.name, action]));

/** Values in force, by name. */
async function values(): Promise<Record<string, string | undefined>> {
  const found = wallet.entries.map(async ({ name }) => {
    const asked = new GetSecretValueCommand({ SecretId: `${wallet.prefix}${name}` });
    return [name, (await client.send(asked).catch(() => undefined))?.SecretString] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** Code of a refusal, with what its details say of the problem. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('a partition', () => {
  it('has what its parts need, and no more', () => {
    expect(wallet.prefix).toBe('acme/production/wallet/');
    expect(wallet.account).toBe(ACCOUNTS[0]);
    expect(wallet.entries.map(({ name }) => name)).toEqual([
      'postgres-node-1-password',
      'nats-node-1-identity',
      'nats-node-1-credentials',
      'postgres-node-2-password',
      'nats-node-2-identity',
      'nats-node-2-credentials',
      // The key of the door's client is none of infrastructure's.
      'gateway-payments-secret-access-key',
    ]);
    const node = describePartition(sample(), 'node-2');
    expect(node).toMatchObject({ account: ACCOUNTS[2], prefix: 'acme/production/node-2/' });
    expect(node.entries.map(({ name }) => name)).toEqual(['encryptor-master-password']);
    expect(() => describePartition(sample(), 'node-4')).toThrow(
      expect.objectContaining({ code: 'POPULATE_PARTITION_UNKNOWN' }),
    );
  });

  it('has a template that is read as it is', () => {
    for (const name of ['wallet', 'node-1']) {
      const description = describePartition(sample(), name);
      const parsed = parseValues(Buffer.from(renderValues(description)), description);
      expect([...parsed.keys()]).toEqual(
        description.entries.filter(({ isNeeded }) => isNeeded).map((entry) => entry.name),
      );
    }
  });

  it('is filled once: a second run changes nothing', async () => {
    const first = await plan();
    expect(actions(first)).toEqual(Object.fromEntries(wallet.entries.map(({ name }) => [name, 'create'])));
    expect(await values()).toEqual(expect.objectContaining({ 'postgres-node-1-password': undefined }));
    expect((await apply(first)).size).toBe(7);
    const filled = await values();
    expect(filled['nats-node-1-credentials']).toBe(SEED.trimEnd());
    expect(filled['postgres-node-1-password']).toMatch(/^[\w-]{43}$/);
    expect(filled['postgres-node-2-password']).not.toBe(filled['postgres-node-1-password']);
    expect(filled['gateway-payments-secret-access-key']).not.toBe(filled['postgres-node-1-password']);
    const second = await plan();
    expect(new Set(Object.values(actions(second)))).toEqual(new Set(['kept', 'unchanged']));
    expect((await apply(second)).size).toBe(0);
    expect(await values()).toEqual(filled);
  });

  it('is gone on with after a crash in the middle', async () => {
    let written = 0;
    const crash = (): void => {
      written += 1;
      if (written === 2) throw new Error('killed');
    };
    expect(await codeOf(apply(await plan(), crash))).toBeUndefined();
    const before = await values();
    await apply(await plan());
    const after = await values();
    expect(after['postgres-node-1-password']).toBe(before['postgres-node-1-password']);
    expect(Object.values(after).every((value) => value !== undefined)).toBe(true);
  });

  it('is not begun where one value is in conflict', async () => {
    await apply(await plan());
    const filled = await values();
    writeFileSync(join(folder, 'nats.creds'), SEED.replace('eyJ', 'eyK'), { mode: 0o600 });
    const changed = await plan();
    expect(actions(changed)['nats-node-1-credentials']).toBe('conflict');
    expect(await codeOf(apply(changed))).toBe('SECRET_EXISTS');
    expect(await values()).toEqual(filled);
  });
});

describe('a rotation', () => {
  it('changes the one that it names, and says what has to be restarted', async () => {
    await apply(await plan());
    const filled = await values();
    const planned = await plan(SOURCES, { rotate: 'postgres-node-1-password' });
    expect(actions(planned)).toEqual({ 'postgres-node-1-password': 'rotate' });
    expect(planned[0]?.entry.afterRotation).toContain('restart');
    await apply(planned);
    const { 'postgres-node-1-password': password, ...others } = await values();
    expect(password).not.toBe(filled['postgres-node-1-password']);
    expect(filled).toMatchObject(others);
    const previous = new GetSecretValueCommand({
      SecretId: `${wallet.prefix}postgres-node-1-password`,
      VersionStage: 'AWSPREVIOUS',
    });
    expect((await client.send(previous)).SecretString).toBe(filled['postgres-node-1-password']);
  });

  it('of a name that is none is refused', async () => {
    expect(await codeOf(plan(SOURCES, { rotate: 'postgres' }))).toBe('POPULATE_NAME_UNKNOWN');
  });
});

describe('two runs at once', () => {
  it('make one value', async () => {
    const [left, right] = [await plan(), await plan()];
    const results = await Promise.all([codeOf(apply(left)), codeOf(apply(right))]);
    expect(results.sort()).toEqual(['SECRET_CHANGED', 'done']);
    expect(new Set(Object.values(actions(await plan())))).toEqual(new Set(['kept', 'unchanged']));
  });

  it('replace a value once', async () => {
    await apply(await plan());
    const rotate = { rotate: 'postgres-node-1-password' };
    const [left, right] = [await plan(SOURCES, rotate), await plan(SOURCES, rotate)];
    await apply(left);
    const { 'postgres-node-1-password': first } = await values();
    expect(await codeOf(apply(right))).toBe('SECRET_CHANGED');
    expect((await values())['postgres-node-1-password']).toBe(first);
  });
});

describe('a source', () => {
  const nats = (source: object) => ({ ...SOURCES, 'nats-node-1-credentials': source });
  const valueOf = async (source: object, environment?: Record<string, string>) => {
    const planned = await plan(nats(source), environment === undefined ? {} : { environment });
    return planned.find(({ entry }) => entry.name === 'nats-node-1-credentials')?.value?.toString();
  };

  it('may be a variable or what a program prints', async () => {
    expect(await valueOf({ environment: 'CREDS' }, { CREDS: SEED })).toBe(SEED.trimEnd());
    expect(await valueOf({ command: ['cat', 'nats.creds'] })).toBe(SEED.trimEnd());
  });

  it('is started as it is: no shell reads its arguments', async () => {
    const evil = `$(touch ${folder}/evil); touch ${folder}/evil`;
    expect(await codeOf(plan(nats({ command: ['printf', '%s', evil] })))).toBe('POPULATE_VALUE_UNFIT');
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  it.each([
    ['fails', { command: ['sh', '-c', 'cat nats.creds; exit 3'] }, { problem: 'it failed', exitCode: 3 }],
    [
      'complains',
      { command: ['sh', '-c', 'cat nats.creds; echo session expires >&2'] },
      { problem: 'it wrote to its standard error', complaint: 'session expires' },
    ],
    ['is not there', { command: ['no-such-program'] }, { problem: 'not started: ENOENT' }],
    ['prints nothing', { command: ['true'] }, { problem: 'it is empty' }],
    ['prints for ever', { command: ['yes'] }, { problem: 'more than 65536 bytes' }],
    ['never ends', { command: ['sleep', '600'], timeoutSeconds: 1 }, { problem: 'no value within 1 s' }],
    ['is no variable', { environment: 'NOT_SET' }, { problem: 'the variable NOT_SET is not set' }],
    ['is no file', { file: 'none' }, { problem: 'the file cannot be read: ENOENT' }],
  ])('that %s gives no value', async (_, source, details) => {
    await expect(plan(nats(source))).rejects.toMatchObject({ code: 'POPULATE_SOURCE_FAILED', details });
  });

  it('may complain where that is said to be well', async () => {
    const command = ['sh', '-c', 'cat nats.creds; echo note >&2'];
    expect(await valueOf({ command, allowStderr: true })).toBe(SEED.trimEnd());
  });

  it('is refused where others may read it', async () => {
    chmodSync(join(folder, 'nats.creds'), 0o640);
    expect(await codeOf(plan())).toBe('POPULATE_SOURCE_EXPOSED');
  });

  it('is refused where its value does not fit, without the value in the refusal', async () => {
    const short = { ...SOURCES, 'postgres-node-1-password': { environment: 'P' } };
    const refused = plan(short, { environment: { P: 'hunter2hunter' } });
    const error = await refused.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'POPULATE_VALUE_UNFIT' });
    expect(inspect(error)).not.toContain('hunter2');
  });

  it('of a certificate has to have its own private key beside it, in any order', async () => {
    const [cert = '', key = ''] = [
      /-----BEGIN CERT[^]*?-----END CERT.*/,
      /-----BEGIN PRIV[^]*?-----END PRIV.*/,
    ].map((block) => block.exec(NATS_PEM)?.[0]);
    const other = /-----BEGIN PRIV[^]*?-----END PRIV.*/.exec(makeIdentity())?.[0] ?? '';
    const fits = async (pem: string) => {
      writeFileSync(join(folder, 'nats.pem'), pem, { mode: 0o600 });
      return await codeOf(plan());
    };
    expect(await fits(`${cert}\n${key}\n`)).toBe('done');
    expect(await fits(`${key}\n${cert}\n`)).toBe('done');
    for (const pem of [`${cert}\n`, `${key}\n`, `${cert}\n${other}\n`, 'none'])
      expect(await fits(pem)).toBe('POPULATE_VALUE_UNFIT');
  });

  it('is needed where the tool cannot make a value', async () => {
    await expect(plan({})).rejects.toMatchObject({
      code: 'POPULATE_SOURCE_MISSING',
      details: {
        names: [
          'nats-node-1-identity',
          'nats-node-1-credentials',
          'nats-node-2-identity',
          'nats-node-2-credentials',
        ],
      },
    });
    expect(await codeOf(plan(nats({ generate: true })))).toBe('POPULATE_VALUES_MALFORMED');
  });
});

describe('the file of sources', () => {
  const parse = (text: string) => () => parseValues(Buffer.from(text), wallet);
  const head = 'format: holdfast-populate/1\npartition: wallet\n';

  it.each([
    ['another format', 'format: x\npartition: wallet\nvalues: {}\n', 'POPULATE_VALUES_MALFORMED'],
    [
      'another partition',
      'format: holdfast-populate/1\npartition: node-1\nvalues: {}\n',
      'POPULATE_VALUES_MALFORMED',
    ],
    ['a value', `${head}values: { postgres-password: { value: abc } }\n`, 'POPULATE_VALUES_MALFORMED'],
    [
      'two sources',
      `${head}values: { postgres-password: { file: a, generate: true } }\n`,
      'POPULATE_VALUES_MALFORMED',
    ],
    ['a secret', `${head}values: {}\n# password: hunter2\npassword: x\n`, 'POPULATE_VALUES_MALFORMED'],
    [
      'a shell',
      `${head}values: { nats-credentials: { command: "op read x" } }\n`,
      'POPULATE_VALUES_MALFORMED',
    ],
    ['an unknown name', `${head}values: { other: { generate: true } }\n`, 'POPULATE_NAME_UNKNOWN'],
    [
      'an alias',
      `${head}values: { postgres-password: &a { generate: true }, nats-credentials: *a }\n`,
      'POPULATE_VALUES_MALFORMED',
    ],
    ['no YAML', '{', 'POPULATE_VALUES_MALFORMED'],
  ])('with %s is refused', (_, text, code) => {
    expect(parse(text)).toThrow(expect.objectContaining({ code }));
  });
});

it('credentials of another account are refused', async () => {
  const sts = (Account: string) => ({ send: async () => await Promise.resolve({ Account }) });
  const ask = (account: string) =>
    codeOf(assertAccount(sts(account) as never, wallet, AbortSignal.timeout(1000)));
  expect(await ask(ACCOUNTS[0])).toBe('done');
  expect(await ask(ACCOUNTS[1])).toBe('POPULATE_ACCOUNT');
});
