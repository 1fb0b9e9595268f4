import { createPublicKey, verify } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { KMSClient, KMSServiceException, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import type { HoldfastCommand } from '../testbed/holdfast-command.ts';
import { type PlayedRole, ROLES, VaultTestbed } from '../testbed/vault/index.ts';
import { quoteAll, quoteApply } from './excerpt.ts';
import { judge, type Running, type Step, type StepResult } from './steps.ts';

const ADMINS = ['node-1', 'node-2', 'node-3'] as const;
const MESSAGE = Buffer.from('the first transfer out of the vault');

export interface VaultStoryOptions {
  /** Folder of its own. */
  readonly directory: string;
  readonly holdfast: HoldfastCommand;
  readonly makeRelease: HoldfastCommand;
  readonly running: Running;
  readonly step: Step;
  readonly signal: AbortSignal;
}

/** One round of the ceremony: who applies, and what it is about. */
interface Round {
  readonly roles: readonly PlayedRole[];
  readonly title: string;
}

const BIRTH: Round = {
  roles: ['node-1', 'node-2', 'node-3', 'infrastructure'],
  title: 'all: a KMS key in each node’s account, born closed; the roles of the hosts',
};
const ROUNDS: readonly Round[] = [
  { roles: ADMINS, title: 'node admins: each signs the first configuration, with the others’ manifests' },
  {
    roles: ['infrastructure'],
    title: 'infrastructure: three hosts; each enclave shows itself, KMS refuses it yet',
  },
  { roles: ADMINS, title: 'node admins: the shown document is verified, the key admits that image alone' },
  { roles: ['infrastructure'], title: 'infrastructure: the nodes start, each makes its password' },
  { roles: ADMINS, title: 'node admins: the node is attested, the right to make a password goes' },
  { roles: ['infrastructure'], title: 'infrastructure: the nodes start as they stay' },
];

/**
 * Plays the ceremony of a vault: people with an account each, from nothing to a signature of two of three nodes.
 * @returns the testbed as it is then
 */
export async function playVault(options: VaultStoryOptions): Promise<VaultTestbed> {
  const testbed = await openVault(options);
  const step = (title: string, act: () => Promise<StepResult>) => options.step('vault', title, act);
  await step('each fetches the release, verifies it, and checks vault.yaml', () => prepare(testbed));
  await step(BIRTH.title, () => playRound(testbed, BIRTH));
  await step('the admin of node 2 tries the steps of node 1', async () => {
    const { said } = await testbed.person('node-2').run(...testbed.argumentsOf('apply', 'node-1'));
    return judge('VAULT_OTHER_ACCOUNT', said.error?.code ?? 'APPLIED');
  });
  await step('infrastructure asks AWS itself to open the KMS key of node 1', async () =>
    judge('AccessDeniedException', await openForeignKey(testbed)),
  );
  await step('“never edit what you were sent”: node 1’s manifest, altered on its way to node 2', async () =>
    judge('STATEMENT_FILE_CHANGED', await alterManifest(testbed)),
  );
  for (const round of ROUNDS) await step(round.title, () => playRound(testbed, round));
  await step('an owner has the nodes generate a key, a share in each account', async () => {
    const owner = await testbed.client('operations');
    const { exit, said } = await owner('quorum', 'keys', 'generate', 'treasury');
    return { ok: exit === 0, outcome: said.error?.code ?? 'generated' };
  });
  await step('a wallet backend has two of three sign', () => sign(testbed));
  await step('everybody applies once more', () => applyAgain(testbed));
  return testbed;
}

/** Opens the testbed of the story, which ends with the demonstration, and its people at once where that is cut off. */
async function openVault(options: VaultStoryOptions): Promise<VaultTestbed> {
  const { directory, holdfast, makeRelease, running, step, signal } = options;
  let opened: VaultTestbed | undefined;
  await step('vault', 'four AWS accounts, a person in each, and a signed release', async () => {
    await mkdir(directory, { mode: 0o700 });
    const testbed = await VaultTestbed.open(directory, { holdfast, makeRelease });
    const leave = () => testbed.leave();
    signal.addEventListener('abort', leave);
    running.add({
      stop: async () => {
        signal.removeEventListener('abort', leave);
        await testbed.close();
      },
    });
    opened = testbed;
    return { ok: true, outcome: ROLES.join(', ') };
  });
  if (opened === undefined) throw new Error('expected a testbed');
  return opened;
}

async function prepare(testbed: VaultTestbed): Promise<StepResult> {
  const checks = await Promise.all(
    ROLES.map(async (role) => {
      const person = testbed.person(role);
      const fetched = await person.run('vault', 'fetch', '--vault', 'vault.yaml');
      return fetched.exit === 0 ? await person.run('vault', 'check', '--role', role) : fetched;
    }),
  );
  const refused = checks.find(({ exit }) => exit !== 0);
  return { ok: refused === undefined, outcome: refused?.said.error?.code ?? 'verified by all four' };
}

/** Has people apply their steps side by side, and quotes what one of them reads who had something to do. */
async function playRound(testbed: VaultTestbed, { roles }: Round): Promise<StepResult> {
  const all = await Promise.all(
    roles.map(async (role) => ({
      command: `holdfast vault apply --role ${role} …`,
      shown: await testbed.person(role).show(...testbed.argumentsOf('apply', role)),
    })),
  );
  const refused = all.find(({ shown }) => shown.exit !== 0);
  if (refused !== undefined) {
    return { ok: false, outcome: 'REFUSED', details: quoteAll(refused.command, refused.shown) };
  }
  // Who comes last in a round may find all statements there, and has nothing to do in the next one.
  const told = all.find(({ shown }) => shown.stdout.startsWith('done')) ?? all[0];
  return {
    ok: true,
    outcome: 'done',
    details: told === undefined ? [] : quoteApply(told.command, told.shown),
  };
}

/** Who runs the hosts puts a policy of theirs on a key of another account. @returns what KMS says */
async function openForeignKey(testbed: VaultTestbed): Promise<string> {
  const { keyArn } = (await testbed.readStatement('node-1', 'kms-stack')).facts;
  const kms = new KMSClient(testbed.clientOptions('infrastructure', 'kms'));
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' }],
  });
  try {
    await kms.send(new PutKeyPolicyCommand({ KeyId: String(keyArn), Policy }));
    return 'OPENED';
  } catch (error) {
    if (error instanceof KMSServiceException) return error.name;
    throw error;
  } finally {
    kms.destroy();
  }
}

/** Whoever carries the files changes one; it is put back after somebody has read it. @returns what they are told */
async function alterManifest(testbed: VaultTestbed): Promise<string> {
  const path = (await testbed.listExchangedFiles()).find((file) => file.includes('/node-1/manifest/'));
  if (path === undefined) throw new Error('expected a manifest');
  const honest = await readFile(path, 'utf8');
  await writeFile(path, honest.replace('eu-central-1', 'eu-central-2'));
  const { said } = await testbed.person('node-2').run(...testbed.argumentsOf('apply', 'node-2'));
  await writeFile(path, honest);
  return said.error?.code ?? 'APPLIED';
}

async function sign(testbed: VaultTestbed): Promise<StepResult> {
  const backend = await testbed.client('wallet-backend');
  const { exit, said } = await backend('quorum', 'sign', 'treasury', '--message', MESSAGE.toString('hex'));
  if (exit !== 0) return { ok: false, outcome: said.error?.code ?? 'FAILED' };
  const x = Buffer.from(String(said['publicKey']), 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const ok = verify(null, MESSAGE, key, Buffer.from(String(said['signature']), 'hex'));
  return { ok, outcome: ok ? 'verified by OpenSSL' : 'DOES NOT VERIFY' };
}

async function applyAgain(testbed: VaultTestbed): Promise<StepResult> {
  const before = await readAll(testbed);
  const again = await Promise.all(ROLES.map((role) => testbed.apply(role)));
  const isDone = again.every(({ exit, said }) => exit === 0 && JSON.stringify(said['done']) === '[]');
  const isSame = (await readAll(testbed)) === before;
  return { ok: isDone && isSame, outcome: isDone && isSame ? 'nothing is changed' : 'CHANGED' };
}

/** Everything that the roles have told each other, as one text. */
async function readAll(testbed: VaultTestbed): Promise<string> {
  const paths = await testbed.listExchangedFiles();
  return JSON.stringify(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'base64')])));
}
