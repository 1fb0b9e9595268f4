import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parsePcrFile } from '../../../attestation/index.ts';
import { connectQuorum, type QuorumClient, sealKey } from '../../../client/index.ts';
import type {
  PublishedRelease,
  Said,
  SampleVault,
  VaultTestbed,
} from '../../../local/testbed/vault/index.ts';
import { nobleSuites } from '../../../shared/frost/index.ts';
import { openTestbed } from './support/open-testbed.ts';
import { ADMINS, NODES, PlayedVault } from './support/played-vault.ts';
import type { Seat } from './support/seat.ts';

const KEY = 'treasury';
const REGION = 'eu-central-1';
/** Account that takes the place of the one that is lost. */
const NEW_ACCOUNT = '555555555555';
const CUSTODIANS = ['alice', 'bob', 'carol'];
const UPGRADED = '1.5.0';
/** Day until which the old image stays admitted: a week from now. */
const OVERLAP_END = new Date(Date.now() + 604_800_000).toISOString().slice(0, 10);

let testbed: VaultTestbed;
let vault: PlayedVault;
let successor: PlayedVault;
let publicKey = '';
let leader = '';
let upgraded: PublishedRelease | undefined;

/** Lets a wallet sign soon after a start, when nothing of its rate is left. */
function fastRate({ tenant }: SampleVault): void {
  for (const rule of tenant.rules) rule['rate'] = { count: 600, seconds: 60 };
}

/** Who does the next command of an upgrade when. */
const UPGRADE_ROUNDS: readonly (readonly (typeof ADMINS)[number][])[] = [
  ADMINS,
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
  NODES,
  ADMINS,
];

const refusal = (code: string) => ({ exit: 1, said: { error: { code } } });

beforeAll(async () => {
  testbed = await openTestbed();
  vault = await PlayedVault.sit(testbed, fastRate);
}, 1_800_000);
afterAll(async () => {
  await testbed.close();
});

/** Has the wallet's backend learn where nodes are, as anybody does who has an id in vault.yaml. */
async function equipWallet(played: PlayedVault, release = ''): Promise<void> {
  const wallet = played.seat('wallet');
  for (const command of [
    `holdfast vault fetch ${release} --vault vault.yaml`.replace('  ', ' '),
    'holdfast vault profiles --client wallet-backend --key keys/wallet-backend.pem',
  ])
    expect(await wallet.type(command)).toMatchObject({ exit: 0 });
}

/** What the sheets of an upgrade leave open. */
function inUpgrade(command: string): string {
  return command
    .replace('VERSION', UPGRADED)
    .replace('DAY', OVERLAP_END)
    .replaceAll('CLIENT', 'wallet-backend')
    .replace('KEYID', KEY);
}

/** Has the wallet's backend ask for a signature, and verifies it as anybody would. */
async function sign(played: PlayedVault, words: string): Promise<Said & { isGenuine: boolean }> {
  const message = Buffer.from(words);
  const signed = await played
    .seat('wallet')
    .type(`holdfast quorum sign ${KEY} --message ${message.toString('hex')} --profile profiles/node-1.yaml`);
  const { signature = '', publicKey: by } = signed.said as { signature?: string; publicKey?: string };
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const isGenuine = by === publicKey && verify(null, message, key, Buffer.from(signature, 'hex'));
  return { ...signed, isGenuine };
}

/** Reads the words of a page that "ers keygen" has printed. */
async function wordsOn(seat: Seat, page: string): Promise<string> {
  const html = await seat.reads(page);
  return [...html.matchAll(/<li><span>\d+<\/span>([a-z]+)<\/li>/g)].map(([, word = '']) => word).join(' ');
}

describe('the life of a vault, by the run sheets of its people', { timeout: 1_800_000 }, () => {
  it('begins with custodians, and with keys that each role makes alone', async () => {
    const custodians = vault.lay('custodians', 'ceremony');
    const { said } = await custodians.succeeds();
    for (const name of CUSTODIANS)
      await custodians.writes(`${name}.words`, await wordsOn(custodians, `custodians/${name}.html`));
    custodians.shares = CUSTODIANS.slice(0, 2).map((name) => `${name}.words`);
    await custodians.succeeds();
    const recoveryKey = String(said['publicKey']);
    expect(recoveryKey).toMatch(/^[0-9a-f]{64}$/);
    for (const node of vault.document.nodes) node.recovery.publicKey = recoveryKey;
    for (const role of ADMINS) vault.lay(role, 'ceremony');
    await vault.together(ADMINS);
    const infrastructure = vault.seat('infrastructure');
    for (const role of NODES) await vault.seat(role).gives(infrastructure, `${role}.join.json`);
  });

  it('comes to nodes that serve', async () => {
    const infrastructure = vault.seat('infrastructure');
    await infrastructure.removes('vault.yaml');
    await infrastructure.succeeds();
    await vault.agree();
    await vault.begin();
    await vault.serve();
    expect(ADMINS.map((role) => vault.seat(role).left)).toEqual(ADMINS.map(() => 0));
    const auditor = vault.lay('auditor', 'ceremony');
    await auditor.finishes();
    const custodians = vault.seat('custodians');
    await auditor.gives(custodians, 'profiles');
    await custodians.finishes();
  });

  it('gives a first signature of two of three', async () => {
    const owners = vault.lay('owners', 'ceremony');
    // Their key was there before vault.yaml: the first command keeps it.
    expect((await owners.succeeds()).said).toMatchObject({ path: 'keys/operations.pem', changed: false });
    const { said } = await owners.finishes();
    ({ publicKey } = said['ceremony'] as { publicKey: string });
    await equipWallet(vault);
    expect(await sign(vault, 'the first signature')).toMatchObject({ exit: 0, isGenuine: true });
  });

  it('changes nothing when everybody applies once more', async () => {
    const files = await testbed.listExchangedFiles();
    const before = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    await Promise.all(
      ADMINS.map(async (role) => {
        const authority = role === 'infrastructure' ? '' : ` --authority-key keys/${role}.authority.pem`;
        const again = await vault
          .seat(role)
          .type(`holdfast vault apply --role ${role} --statement-key keys/${role}.statement.pem${authority}`);
        expect(again).toMatchObject({ exit: 0, said: { done: [], waitsFor: [], isComplete: true } });
      }),
    );
    expect(await testbed.listExchangedFiles()).toEqual(files);
    expect(await Promise.all(files.map((file) => readFile(file, 'utf8')))).toEqual(before);
  });

  it('gives nobody credentials that do anything in the account of another', async () => {
    const stranger = vault.seat('node-2');
    const foreign = 'holdfast vault plan --role node-1 --statement-key keys/node-2.statement.pem';
    expect((await stranger.type(foreign)).exit).toBe(1);
    for (const role of ADMINS)
      for (const other of NODES) {
        if (role === other) continue;
        const { facts } = await testbed.readStatement(other, 'kms-stack');
        const { keyArn: KeyId, bucket: Bucket } = facts as { keyArn: string; bucket: string };
        const { credentials } = testbed.clientOptions(role);
        const options = (service: 'kms' | 's3' | 'cloudformation') => ({
          ...testbed.aws.clientOptions(service, REGION),
          credentials,
        });
        const kms = new KMSClient(options('kms'));
        const s3 = new S3Client({ ...options('s3'), forcePathStyle: true });
        const denied = expect.objectContaining({
          name: expect.stringMatching(/AccessDenied/) as string,
        }) as Error;
        await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toEqual(denied);
        await expect(kms.send(new GetKeyPolicyCommand({ KeyId }))).rejects.toEqual(denied);
        await expect(s3.send(new ListObjectsV2Command({ Bucket }))).rejects.toEqual(denied);
        const stacks = new CloudFormationClient(options('cloudformation'));
        await expect(
          stacks.send(new DescribeStacksCommand({ StackName: `acme-production-${other}` })),
        ).rejects.toThrow(/does not exist/);
      }
  });

  it('goes to another release node by node, and signs with it', async () => {
    upgraded = await testbed.publish(UPGRADED);
    const infrastructure = vault.seat('infrastructure');
    await infrastructure.hasKey('wallet-backend', testbed.keys.clients.get('wallet-backend') ?? '');
    for (const role of ADMINS) vault.lay(role, 'upgrade');
    for (const roles of UPGRADE_ROUNDS) await vault.together(roles, inUpgrade);
    expect(ADMINS.map((role) => vault.seat(role).left)).toEqual(ADMINS.map(() => 0));
    expect(await sign(vault, 'by the measurements of before')).toMatchObject({ exit: 1 });
    await equipWallet(vault, UPGRADED);
    expect(await sign(vault, 'by the new release')).toMatchObject({ exit: 0, isGenuine: true });
  });

  it('is backed up, which an auditor verifies with files alone', async () => {
    for (const role of ['owners', 'auditor'] as const) await vault.lay(role, 'upgrade').finishes(inUpgrade);
    await vault.seat('auditor').gives(vault.seat('custodians'), 'profiles');
    const owners = vault.lay('owners', 'backup');
    await owners.finishes();
    const auditor = vault.lay('auditor', 'backup');
    await owners.gives(auditor, 'backups');
    const { said } = await auditor.finishes();
    expect(said).toMatchObject({
      coverage: { epochs: [{ key: KEY, participants: [1, 2, 3], isRecoverable: true, publicKey }] },
    });
  });

  it('has its recovery proven in a drill, whose record an auditor verifies', async () => {
    const custodians = vault.lay('custodians', 'drill');
    await vault.seat('owners').gives(custodians, 'backups');
    leader = String((await custodians.succeeds()).said['publicKey']);
    await custodians.finishes();
    const auditor = vault.lay('auditor', 'drill');
    await custodians.gives(auditor, 'drill.json');
    const { said } = await auditor.finishes((command) => command.replace('LEADER', leader));
    expect(said).toMatchObject({ drills: [{ drill: { proven: [{ key: KEY, publicKey }] } }] });
  });

  it('bears the loss of an account: its node starts no more, and the two others sign', async () => {
    await testbed.loseAccount('node-3');
    const host = testbed.hostOf(3);
    await host?.crash();
    await host?.boot();
    await expect.poll(async () => await codeOf(host), { timeout: 60_000 }).toMatch(/KMS|AWS|CREDENTIALS/);
    expect(await sign(vault, 'two of two that are left')).toMatchObject({ exit: 0, isGenuine: true });
  });

  it('signs nothing after the loss of two hosts', async () => {
    await Promise.all([testbed.loseHost(2), testbed.loseHost(3)]);
    const refused = await sign(vault, 'nobody is left');
    expect(refused).toMatchObject({ exit: 1, isGenuine: false });
    expect(refused.said.error?.code).toMatch(/QUORUM|UNREACHABLE/);
  });

  it('has a new vault described, in which the lost key is pinned, and the lost account replaced', async () => {
    const { said } = await vault.lay('owners', 'recovery').finishes();
    const { coverage } = said as { coverage: { epochs: readonly { key: string; publicKey: string }[] } };
    const found = coverage.epochs.find(({ key }) => key === KEY)?.publicKey ?? '';
    expect(found).toBe(publicKey);
    const [infrastructureAccount, first, second] = ADMINS.map((role) => testbed.accountOf(role));
    const accounts = [infrastructureAccount ?? '', first ?? '', second ?? '', NEW_ACCOUNT] as const;
    const change = (sample: SampleVault) => {
      sample['environment'] = 'production-2';
    };
    // The new vault runs the release that nodes of the lost one ran last.
    const other = await testbed.addVault('successor', { accounts, change }, upgraded);
    successor = await PlayedVault.sit(other, fastRate);
    await successor.succeed(vault);
    const infrastructure = vault.lay('infrastructure', 'recovery');
    await infrastructure.succeeds();
    for (const role of NODES) {
      const lost = testbed.accountOf(role);
      await vault
        .lay(role, 'recovery')
        .succeeds((command) =>
          role === 'node-3'
            ? command
                .replaceAll(lost, NEW_ACCOUNT)
                .replaceAll(`-of-${lost[0] ?? ''}`, `-of-${NEW_ACCOUNT[0] ?? ''}`)
            : command,
        );
      await vault.seat(role).gives(infrastructure, `new/${role}.join.json`);
    }
    await infrastructure.removes('new/vault.yaml');
    await infrastructure.succeeds((command) => command.replace('PUBLIC_KEY', found));
    await successor.agree();
    await vault.begin();
    expect(ADMINS.map((role) => vault.seat(role).left)).toEqual(ADMINS.map(() => 0));
    await vault.lay('auditor', 'recovery').finishes();
  });

  it('has the new vault serve, by its own run sheets', async () => {
    successor.lay('infrastructure', 'ceremony', 3);
    for (const role of NODES) successor.lay(role, 'ceremony', 2);
    await successor.serve();
    expect(ADMINS.map((role) => successor.seat(role).left)).toEqual(ADMINS.map(() => 0));
    const owners = successor.lay('owners', 'ceremony');
    while (owners.left > 1) await owners.succeeds();
  });

  it('takes up no other key than the lost one, and makes none in its place', async () => {
    const owners = successor.seat('owners');
    expect(
      await owners.type(`holdfast quorum keys generate ${KEY} --profile profiles/node-1.yaml`),
    ).toMatchObject(refusal('RULE_DENIED'));
    const { group } = nobleSuites['frost-ed25519'];
    const secret = Uint8Array.from({ length: 32 }, (_, place) => (place === 0 ? 7 : 0));
    const own = group.encode(group.multiplyBase(secret));
    for (const [claimed, refused] of [
      [own, { code: 'CEREMONY_FAILED', details: { code: 'CEREMONY_KEY_STATE' } }],
      [Buffer.from(publicKey, 'hex'), { name: 'ClientError' }],
    ] as const) {
      const quorum = await connectAsOwner(owners);
      const begun = quorum
        .importKey(KEY, (importKey, destination) =>
          sealKey(
            new Uint8Array(secret),
            { type: 'frost-ed25519', publicKey: claimed },
            importKey,
            destination,
          ),
        )
        .then(async ({ ceremony }) => await quorum.waitFor(ceremony));
      await expect(begun).rejects.toMatchObject(refused);
      quorum.close();
    }
    const { said } = await owners.type('holdfast quorum keys list --profile profiles/node-1.yaml');
    expect(said).toMatchObject({ keys: [{ id: KEY, publicKey: null }] });
  });

  it('signs with the same key again, which its custodians have brought back', async () => {
    const owners = successor.seat('owners');
    const custodians = vault.lay('custodians', 'recovery');
    for (const path of ['node-1.attestation', 'profiles'])
      await owners.gives(successor.seat('custodians'), path);
    const [authority = ''] = successor.document.nodes[0]?.configurationAuthority.keys ?? [];
    await custodians.finishes((command) => command.replace('AUTHORITY', authority));
    await successor.seat('custodians').gives(owners, `${KEY}.import`);
    const { said } = await owners.finishes();
    expect(said).toMatchObject({ ceremony: { publicKey, state: 'done' } });
    await equipWallet(successor);
    expect(await sign(successor, 'the first signature of the new vault')).toMatchObject({
      exit: 0,
      isGenuine: true,
    });
  });
});

async function codeOf(host: { readonly statusUrl: string } | undefined): Promise<string> {
  const page = await fetch(`${host?.statusUrl ?? ''}/status`).catch(() => undefined);
  return (await page?.text()) ?? '';
}

/** Connects to node 1 as somebody who has other software than ours could. */
async function connectAsOwner(owners: Seat): Promise<QuorumClient> {
  const { url } = parse(await owners.reads('profiles/node-1.yaml')) as { url: string };
  const trust = {
    root: new Uint8Array(await readFile(testbed.rootFile)),
    pcrs: parsePcrFile(Buffer.from(await owners.reads('profiles/pcr.json'))),
    manifest: Buffer.from(await owners.reads('profiles/node-1.manifest.json')),
  };
  const privateKey = createPrivateKey(await owners.reads('keys/operations.pem'));
  return await connectQuorum({ nodes: [{ url, trust, clientId: 'operations', privateKey }] });
}
