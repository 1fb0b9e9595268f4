import { beforeEach, describe, expect, it } from 'vitest';
import {
  changeCeremony,
  describeConfigurations,
  findNewest,
  type Proposal,
} from '../../../../admin/vault/steps/configuration/index.ts';
import { digestVault, parseVault, type Role } from '../../../../admin/vault/index.ts';
import { infrastructureHosts } from '../../../../admin/vault/steps/infrastructure-hosts.ts';
import { infrastructureRestart } from '../../../../admin/vault/steps/infrastructure-restart.ts';
import { applyRole, planRole, type Step } from '../../../../admin/vault/steps/index.ts';
import type { ConfigurationDocument2 } from '../../../../shared/documents/configuration.ts';
import {
  admitAll,
  apply,
  applyNodes,
  back,
  contextOf,
  firstConfiguration,
  kill,
  NODES,
  resetWorld,
  revive,
  signedConfiguration,
  tell,
  vault,
  world,
} from './fake-vault.ts';

beforeEach(resetWorld);

const refused = (code: string) => expect.objectContaining({ code }) as Error;
const NEW_CLIENT = { id: 'desk', publicKey: '7d'.repeat(32), person: null };

/** Description with one client more, who may do what the wallet's backend may. */
function describeRules(change: (description: typeof vault) => void): Proposal & { kind: 'rules' } {
  const description = structuredClone(vault);
  change(description);
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(description)));
  return { kind: 'rules', description: parseVault(bytes), bytes, digest: digestVault(bytes), isAnew: false };
}
const withClient = (id = NEW_CLIENT.id) =>
  describeRules((description) => {
    description.clients.push({ ...NEW_CLIENT, id });
    description.tenant.rules[0]?.clients.push(id);
  });
const propose = async (role: Role, proposal: Proposal | undefined, withoutKeys: readonly string[] = []) =>
  await applyRole(contextOf(role), () => undefined, {
    ceremony: changeCeremony(vault, { proposal, withoutKeys, client: undefined }),
  });
const plan = async (role: Role, proposal: Proposal | undefined) =>
  (
    await planRole(contextOf(role), changeCeremony(vault, { proposal, withoutKeys: [], client: undefined }))
  )[0]?.state;
const restart = async () => await propose('infrastructure', undefined);

/** Newest configuration of a node, as its admin has stated it. */
async function newestOf(node: number): Promise<ConfigurationDocument2> {
  const newest = await findNewest(world.exchange, node);
  if (newest === undefined) throw new TypeError('expected a configuration');
  const envelope = await world.exchange.file(newest.statement, 'configuration.json');
  const { payload } = JSON.parse(Buffer.from(envelope).toString()) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as ConfigurationDocument2;
}
const clientsOf = async (node: number) => (await newestOf(node)).clients.map(({ id }) => id);
/** Configuration that somebody has signed by hand, and with which the node runs. */
function signElsewhere(node: number, version = 3) {
  const base = firstConfiguration(node);
  const signed = signedConfiguration({ ...base, version, clients: [...base.clients, NEW_CLIENT] });
  world.inForce.set(node, { version, digest: signed.digest });
  return signed;
}

describe('a change of rules after the ceremony', () => {
  it('is shown in words, signed by each admin, and brought to one node after the other', async () => {
    const state = await plan('node-1', withClient());
    expect(state).toMatchObject({ state: 'ready' });
    expect(JSON.stringify(state)).toContain('PERMITS MORE');
    expect(JSON.stringify(state)).toContain('client desk');
    for (const node of NODES) await propose(`node-${node}`, withClient());
    await restart();
    expect(world.deployed).toEqual(['1 old', '2 old', '3 old']);
    expect(world.fewest).toBe(2);
    for (const node of NODES) expect(await clientsOf(node)).toContain('desk');
    expect([...world.inForce.values()].map(({ version }) => version)).toEqual([3, 3, 3]);
    for (const role of ['node-1', 'node-2', 'node-3'] as const)
      expect(await propose(role, withClient())).toMatchObject({ done: [], isComplete: true });
    expect(await restart()).toMatchObject({ done: [], isComplete: true });
    expect(world.deployed).toHaveLength(3);
    expect(await describeConfigurations(vault, world.exchange)).toMatchObject(
      NODES.map((node) => ({ node, version: 3, running: 3, change: 1, waitsFor: null })),
    );
  });

  it('is one for all nodes: other rules for the same change are refused, and who has signed need not wait', async () => {
    await propose('node-1', withClient());
    await expect(propose('node-2', withClient('other'))).rejects.toEqual(refused('VAULT_CHANGE_DIFFERS'));
    await restart();
    expect(world.deployed).toEqual(['1 old']);
    expect(await describeConfigurations(vault, world.exchange)).toMatchObject([
      { node: 1, waitsFor: null },
      { node: 2, waitsFor: 'node-2' },
      { node: 3, waitsFor: 'node-3' },
    ]);
    expect(await restart()).toMatchObject({ done: [], waitsFor: [{ role: 'node-2' }, { role: 'node-3' }] });
    expect(await propose('node-2', { ...withClient('other'), isAnew: true })).toMatchObject({
      done: ['node-2/change-configuration'],
    });
    await propose('node-1', withClient('other'));
    expect(await clientsOf(1)).toContain('other');
    expect(await clientsOf(1)).not.toContain('desk');
  });

  it('takes no key away that nobody has named, and no description of another vault', async () => {
    const without = describeRules(({ tenant }) => {
      const [key] = tenant.keys;
      tenant.keys = [{ id: 'reserve', type: 'frost-ed25519', networks: [] }];
      for (const rule of tenant.rules) rule.keys = rule.keys.map((id) => (id === key?.id ? 'reserve' : id));
    });
    await expect(propose('node-1', without)).rejects.toEqual(refused('VAULT_KEYS_LOST'));
    expect(await propose('node-1', without, ['treasury'])).toMatchObject({
      done: ['node-1/change-configuration'],
    });
    const other = describeRules((description) => {
      description.threshold = 3;
    });
    await expect(propose('node-2', other)).rejects.toEqual(refused('VAULT_RULES_OTHER_VAULT'));
    // No parent would ask it, and the nodes would wait for its cosignatures.
    const [url, key] = [
      'https://w.example',
      'w.example/w1+1b811948+BHPXbwxNoCVuZU/Vgxv+csiLggG97YYlMbvvIU3oRRXl',
    ];
    const witnessed = describeRules(({ parts }) => {
      parts.witnesses = { threshold: 1, maxUncosignedSeconds: 60, cidr: null, servers: [{ url, key }] };
    });
    await expect(propose('node-2', witnessed)).rejects.toEqual(refused('VAULT_RULES_OTHER_VAULT'));
    const same = describeRules(() => undefined);
    world.memory.clear();
    await resetWorld();
    await expect(propose('node-1', same)).rejects.toEqual(refused('VAULT_CHANGE_NONE'));
  });

  it('is left to its own run by the first ceremony', async () => {
    const again = async () =>
      await applyRole(contextOf('infrastructure'), () => undefined, {
        ceremony: { steps: [infrastructureRestart(vault)], counts: () => true },
      });
    for (const node of NODES) await propose(`node-${node}`, withClient());
    expect(await again()).toMatchObject({ done: [] });
    await restart();
    expect(await again()).toMatchObject({ done: [] });
    expect(world.deployed).toHaveLength(3);
  });

  it('stays in force on another host that takes the place of one', async () => {
    const first = async (step: Step) =>
      await applyRole(contextOf('infrastructure'), () => undefined, {
        ceremony: { steps: [step], counts: () => true },
      });
    for (const node of NODES) await propose(`node-${node}`, withClient());
    await restart();
    world.deployed.length = 0;
    kill(3);
    world.launched.set(3, 1);
    await first(infrastructureHosts(vault));
    revive(3, 'old');
    expect(await first(infrastructureRestart(vault))).toMatchObject({ done: ['infrastructure/restart'] });
    expect(world.deployed).toEqual(['3 old', '1 old', '2 old']);
    expect([...world.inForce.values()].map(({ version }) => version)).toEqual([3, 3, 3]);
    expect(await restart()).toMatchObject({ done: [], isComplete: true });
  });

  it('touches no second node where the first one does not serve with it', async () => {
    for (const node of NODES) await propose(`node-${node}`, withClient());
    world.policies.set(1, '{}');
    await expect(restart()).rejects.toEqual(refused('VAULT_NODE_UNEXPECTED'));
    await expect(restart()).rejects.toEqual(refused('VAULT_NODE_UNEXPECTED'));
    expect(world.deployed).toEqual(['1 old', '1 old']);
    expect(world.fewest).toBe(2);
  });
});

describe('the number of a change', () => {
  /** Has the admin of a node number the configuration that they have stated last. */
  const numberAs = async (node: number, change: number, rules: string | null = null) => {
    const newest = await findNewest(world.exchange, node);
    if (newest === undefined) throw new TypeError('expected a configuration');
    const bytes = await world.exchange.file(newest.statement, 'configuration.json');
    await tell(
      `node-${node}`,
      'change-configuration',
      { change, rules, configuration: newest.digest, version: newest.version },
      { name: 'configuration.json', bytes },
    );
  };

  it.each([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, 40])(
    'is not the last one where an admin has numbered theirs %d',
    async (leap) => {
      await numberAs(3, leap);
      for (const node of [1, 2]) await propose(`node-${node}`, withClient());
      for (const node of [1, 2]) await propose(`node-${node}`, withClient('other'));
      for (const node of [1, 2]) expect(await clientsOf(node)).toContain('other');
      expect(await describeConfigurations(vault, world.exchange)).toMatchObject([
        { node: 1, change: 2, isLeap: false },
        { node: 2, change: 2, isLeap: false },
        { node: 3, change: leap, isLeap: true, waitsFor: 'node-3' },
      ]);
      await restart();
      expect(await restart()).toMatchObject({ done: [], waitsFor: [{ role: 'node-3' }] });
      // Their next change is numbered as those of the others.
      await propose('node-3', withClient('other'));
      expect(await describeConfigurations(vault, world.exchange)).toMatchObject(
        NODES.map(() => ({ change: 2, isLeap: false })),
      );
    },
  );

  it('is not used up by one admin who states the same rules under a high one', async () => {
    await numberAs(3, Number.MAX_SAFE_INTEGER, withClient().digest);
    await propose('node-1', withClient());
    expect(await describeConfigurations(vault, world.exchange)).toMatchObject([
      { change: 1 },
      { change: 0 },
      { isLeap: true },
    ]);
  });

  it('is at most sixteen ahead of those in which others have taken part, who sign nothing meanwhile', async () => {
    await numberAs(1, 16, withClient('first').digest);
    await expect(propose('node-1', withClient('next'))).rejects.toEqual(refused('VAULT_CHANGE_LEAP'));
    await propose('node-2', { ...withClient('next'), isAnew: true });
    expect(await propose('node-1', withClient('next'))).toMatchObject({
      done: ['node-1/change-configuration'],
    });
  });
});

describe('a configuration that was signed elsewhere', () => {
  it('is no base of anything before its admin has stated it, and is one then', async () => {
    const signed = signElsewhere(1);
    await expect(propose('node-1', withClient('other'))).rejects.toEqual(
      refused('VAULT_CONFIGURATION_DIFFERS'),
    );
    await expect(restart()).rejects.toEqual(refused('VAULT_CONFIGURATION_DIFFERS'));
    const adopted: Proposal = { kind: 'configuration', bytes: signed.envelope };
    expect(await propose('node-1', adopted)).toMatchObject({ done: ['node-1/change-configuration'] });
    expect(await propose('node-1', adopted)).toMatchObject({ done: [], isComplete: true });
    expect(await clientsOf(1)).toContain('desk');
    const older: Proposal = {
      kind: 'configuration',
      bytes: signedConfiguration(firstConfiguration(1)).envelope,
    };
    await expect(propose('node-1', older)).rejects.toEqual(refused('VAULT_CONFIGURATION_OLD'));
    await expect(propose('node-2', { kind: 'configuration', bytes: signed.envelope })).rejects.toEqual(
      refused('CONFIGURATION_OTHER_MANIFEST'),
    );
  });

  it('keeps an upgrade from being begun, and from touching a node, until it is stated', async () => {
    signElsewhere(1);
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_CONFIGURATION_DIFFERS'));
    expect(await world.exchange.statement('node-1', 'upgrade-configuration')).toBeUndefined();
    await resetWorld();
    await applyNodes();
    signElsewhere(2, 7);
    await expect(apply('infrastructure')).rejects.toEqual(refused('VAULT_CONFIGURATION_DIFFERS'));
    expect(world.deployed).toEqual([]);
  });
});

describe('people, keys and rules of the newest configuration', () => {
  const changed = async () => {
    for (const node of NODES) await propose(`node-${node}`, withClient());
    await restart();
    world.deployed.length = 0;
  };

  it('survive an upgrade, which changes the images of the peers alone', async () => {
    await changed();
    const before = await newestOf(1);
    await admitAll();
    await apply('infrastructure');
    await applyNodes();
    const after = await newestOf(1);
    expect({ ...after, version: 0, quorum: null }).toEqual({ ...before, version: 0, quorum: null });
    expect(after.quorum?.peers.map(({ images }) => images.length)).toEqual([2, 2]);
    expect([...world.running.values()]).toEqual(['new', 'new', 'new']);
  });

  it('survive a roll back, with what was signed while the upgrade was under way', async () => {
    await changed();
    await admitAll();
    await apply('infrastructure');
    const both = describeRules((description) => {
      description.clients.push(NEW_CLIENT, { ...NEW_CLIENT, id: 'late', publicKey: '7e'.repeat(32) });
      description.tenant.rules[0]?.clients.push('desk', 'late');
    });
    for (const node of NODES) await propose(`node-${node}`, both);
    await restart();
    await back('infrastructure');
    for (const node of NODES) await back(`node-${node}`);
    await back('infrastructure');
    for (const node of NODES) expect(await clientsOf(node)).toEqual(expect.arrayContaining(['desk', 'late']));
    const { quorum } = await newestOf(1);
    expect(quorum?.peers.flatMap(({ images }) => images.map(({ notAfter }) => notAfter))).toEqual([
      null,
      null,
    ]);
    expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
  });
});
