import { createPublicKey, verify } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { KMSClient, KMSServiceException, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import type { HoldfastCommand } from '../testbed/holdfast-command.ts';
import { type PlayedRole, ROLES, VaultWorld } from '../testbed/vault/index.ts';
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
 * @returns the world as it is then
 */
export async function playVault(options: VaultStoryOptions): Promise<VaultWorld> {
  const world = await openVault(options);
  const step = (title: string, act: () => Promise<StepResult>) => options.step('vault', title, act);
  await step('each fetches the release, verifies it, and checks vault.yaml', () => prepare(world));
  await step(BIRTH.title, () => playRound(world, BIRTH));
  await step('the admin of node 2 tries the steps of node 1', async () => {
    const { said } = await world.person('node-2').run(...world.run('apply', 'node-1'));
    return judge('VAULT_OTHER_ACCOUNT', said.error?.code ?? 'APPLIED');
  });
  await step('infrastructure asks AWS itself to open the KMS key of node 1', async () =>
    judge('AccessDeniedException', await openForeignKey(world)),
  );
  await step('“never edit what you were sent”: node 1’s manifest, altered on its way to node 2', async () =>
    judge('STATEMENT_FILE_CHANGED', await alterManifest(world)),
  );
  for (const round of ROUNDS) await step(round.title, () => playRound(world, round));
  await step('an owner has the nodes generate a key, a share in each account', async () => {
    const owner = await world.client('operations');
    const { exit, said } = await owner('quorum', 'keys', 'generate', 'treasury');
    return { ok: exit === 0, outcome: said.error?.code ?? 'generated' };
  });
  await step('a wallet backend has two of three sign', () => sign(world));
  await step('everybody applies once more', () => applyAgain(world));
  return world;
}

/** Opens the world of the story, which ends with the demonstration, and its people at once where that is cut off. */
async function openVault(options: VaultStoryOptions): Promise<VaultWorld> {
  const { directory, holdfast, makeRelease, running, step, signal } = options;
  let opened: VaultWorld | undefined;
  await step('vault', 'four AWS accounts, a person in each, and a signed release', async () => {
    await mkdir(directory, { mode: 0o700 });
    const world = await VaultWorld.open(directory, { holdfast, makeRelease });
    const leave = () => world.leave();
    signal.addEventListener('abort', leave);
    running.add({
      stop: async () => {
        signal.removeEventListener('abort', leave);
        await world.close();
      },
    });
    opened = world;
    return { ok: true, outcome: ROLES.join(', ') };
  });
  if (opened === undefined) throw new Error('expected a world');
  return opened;
}

async function prepare(world: VaultWorld): Promise<StepResult> {
  const checks = await Promise.all(
    ROLES.map(async (role) => {
      const person = world.person(role);
      const fetched = await person.run('vault', 'fetch', '--vault', 'vault.yaml');
      return fetched.exit === 0 ? await person.run('vault', 'check', '--role', role) : fetched;
    }),
  );
  const refused = checks.find(({ exit }) => exit !== 0);
  return { ok: refused === undefined, outcome: refused?.said.error?.code ?? 'verified by all four' };
}

/** Has people apply their steps side by side, and quotes what one of them reads who had something to do. */
async function playRound(world: VaultWorld, { roles }: Round): Promise<StepResult> {
  const all = await Promise.all(
    roles.map(async (role) => ({
      command: `holdfast vault apply --role ${role} …`,
      shown: await world.person(role).show(...world.run('apply', role)),
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
async function openForeignKey(world: VaultWorld): Promise<string> {
  const { keyArn } = (await world.told('node-1', 'kms-stack')).facts;
  const kms = new KMSClient(world.clientOptions('infrastructure', 'kms'));
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
async function alterManifest(world: VaultWorld): Promise<string> {
  const path = (await world.exchanged()).find((file) => file.includes('/node-1/manifest/'));
  if (path === undefined) throw new Error('expected a manifest');
  const honest = await readFile(path, 'utf8');
  await writeFile(path, honest.replace('eu-central-1', 'eu-central-2'));
  const { said } = await world.person('node-2').run(...world.run('apply', 'node-2'));
  await writeFile(path, honest);
  return said.error?.code ?? 'APPLIED';
}

async function sign(world: VaultWorld): Promise<StepResult> {
  const backend = await world.client('wallet-backend');
  const { exit, said } = await backend('quorum', 'sign', 'treasury', '--message', MESSAGE.toString('hex'));
  if (exit !== 0) return { ok: false, outcome: said.error?.code ?? 'FAILED' };
  const x = Buffer.from(String(said['publicKey']), 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const ok = verify(null, MESSAGE, key, Buffer.from(String(said['signature']), 'hex'));
  return { ok, outcome: ok ? 'verified by OpenSSL' : 'DOES NOT VERIFY' };
}

async function applyAgain(world: VaultWorld): Promise<StepResult> {
  const before = await readAll(world);
  const again = await Promise.all(ROLES.map((role) => world.apply(role)));
  const isDone = again.every(({ exit, said }) => exit === 0 && JSON.stringify(said['done']) === '[]');
  const isSame = (await readAll(world)) === before;
  return { ok: isDone && isSame, outcome: isDone && isSame ? 'nothing is changed' : 'CHANGED' };
}

/** Everything that the roles have told each other, as one text. */
async function readAll(world: VaultWorld): Promise<string> {
  const paths = await world.exchanged();
  return JSON.stringify(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'base64')])));
}
