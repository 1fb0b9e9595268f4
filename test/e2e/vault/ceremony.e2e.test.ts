import { createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlayedRole, ROLES, type VaultWorld } from '../../../local/testbed/vault/index.ts';
import { openWorld } from './support/open-world.ts';

const NODES = ['node-1', 'node-2', 'node-3'] as const;
/** Commands that each of a vault's people may need. */
const MAX_COMMANDS = 7;

/** What people do after they have fetched and checked: everybody who does not wait applies, until all is done. */
const ROUNDS: readonly (readonly PlayedRole[])[] = [
  ['infrastructure', ...NODES],
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
];

let world: VaultWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world.close();
});

async function together(roles: readonly PlayedRole[], act: (role: PlayedRole) => Promise<unknown>) {
  await Promise.all(roles.map(act));
}

async function applied(role: PlayedRole): Promise<void> {
  const { exit, said, stderr } = await world.apply(role);
  expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${world.log()}`).toBe(0);
}

describe('the ceremony of a vault', { timeout: 600_000 }, () => {
  it('leads four people with four accounts from nothing to nodes that serve, in at most seven commands each', async () => {
    await together(ROLES, async (role) => {
      const person = world.person(role);
      expect(await person.run('vault', 'fetch', '--vault', 'vault.yaml')).toMatchObject({ exit: 0 });
      expect(await person.run('vault', 'check', '--role', role)).toMatchObject({ exit: 0 });
    });
    for (const roles of ROUNDS) await together(roles, applied);
    const counts = Object.fromEntries(ROLES.map((role) => [role, world.person(role).commands]));
    expect(Object.values(counts).filter((count) => count > MAX_COMMANDS)).toEqual([]);
    const status = await world.person('node-2').run('vault', 'status');
    expect(status).toMatchObject({ exit: 0, said: { isComplete: true } });
  });

  it('ends with a key that two of three nodes sign with', async () => {
    const owner = await world.client('operations');
    const made = await owner('quorum', 'keys', 'generate', 'treasury');
    expect(made).toMatchObject({ exit: 0, said: { ceremony: { state: 'done' } } });
    const message = Buffer.from('the first signature');
    const backend = await world.client('wallet-backend');
    const signed = await backend('quorum', 'sign', 'treasury', '--message', message.toString('hex'));
    expect(signed).toMatchObject({ exit: 0 });
    const { signature, publicKey } = signed.said as unknown as { signature: string; publicKey: string };
    const x = Buffer.from(publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, message, key, Buffer.from(signature, 'hex'))).toBe(true);
  });

  it('changes nothing when everybody applies once more', async () => {
    const files = await world.exchanged();
    const before = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    await together(ROLES, async (role) => {
      const again = await world.apply(role);
      expect(again).toMatchObject({
        exit: 0,
        said: { done: [], waitsFor: [], isComplete: true },
      });
    });
    expect(await world.exchanged()).toEqual(files);
    expect(await Promise.all(files.map((file) => readFile(file, 'utf8')))).toEqual(before);
  });

  it('gives nobody credentials that do anything in the account of another', async () => {
    const stranger = world.person('node-2');
    const refused = await stranger.run(...world.run('plan', 'node-1'));
    expect(refused).toMatchObject({ exit: 1, said: { error: { code: 'VAULT_OTHER_ACCOUNT' } } });
  });
});
