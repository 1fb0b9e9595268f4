import { beforeEach, describe, expect, it } from 'vitest';
import {
  changeCeremony,
  describeConfigurations,
  findNewest,
  type Proposal,
} from '../../../../admin/vault/steps/configuration/index.ts';
import { digestVault, parseVault, type Role } from '../../../../admin/vault/index.ts';
import { ExchangeError } from '../../../../admin/vault/exchange/index.ts';
import { infrastructureHosts } from '../../../../admin/vault/steps/infrastructure-hosts.ts';
import { nodeConfiguration } from '../../../../admin/vault/steps/node-configuration.ts';
import { nodeFinalConfiguration } from '../../../../admin/vault/steps/node-final-configuration.ts';
import { nodePeersConfiguration } from '../../../../admin/vault/steps/node-peers-configuration.ts';
import { firstCeremony } from '../../../../admin/vault/steps/ceremony.ts';
import { infrastructureAttestations } from '../../../../admin/vault/steps/infrastructure-attestations.ts';
import { infrastructureStart } from '../../../../admin/vault/steps/infrastructure-start.ts';
import { findUpgradeState } from '../../../../admin/vault/steps/upgrade/index.ts';
import { infrastructureRestart } from '../../../../admin/vault/steps/infrastructure-restart.ts';
import { applyRole, planRole, type Step, type StepContext } from '../../../../admin/vault/steps/index.ts';
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

/** Refusal that names the nodes that were left, and whose turn it is. */
const leaving = (...left: readonly (readonly [node: number, code: string])[]) => ({
  code: 'VAULT_NODES_LEFT',
  details: { left: left.map(([node, code]) => ({ node, code, waitsFor: `node-${node}` })) },
});

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
    const signed = signElsewhere(2, 7);
    await expect(apply('infrastructure')).rejects.toMatchObject(leaving([2, 'VAULT_CONFIGURATION_DIFFERS']));
    expect(world.deployed).toEqual(['1 new', '1 old', '3 new', '3 old']);
    await expect(apply('infrastructure')).rejects.toEqual(refused('VAULT_CONFIGURATION_DIFFERS'));
    await propose('node-2', { kind: 'configuration', bytes: signed.envelope });
    await apply('infrastructure');
    expect(world.deployed.slice(4)).toEqual(['2 new', '2 old']);
  });
});

describe('an admin who states an older configuration again', () => {
  /** Has the admin of a node state the first configuration again, by the step of the newest one. */
  const stepBack = async (node: number) => {
    const { digest, envelope, version } = signedConfiguration(firstConfiguration(node));
    const file = { name: 'configuration.json', bytes: envelope };
    const { statement } = (await findNewest(world.exchange, node)) ?? {};
    if (statement?.step === 'upgrade-configuration' && 'nonce' in statement.facts)
      await tell(
        `node-${node}`,
        statement.step,
        { ...statement.facts, configuration: digest, version },
        file,
      );
    else
      await tell(
        `node-${node}`,
        'change-configuration',
        { change: 1, rules: null, configuration: digest, version },
        file,
      );
  };

  it('keeps no other node from a change, and is named', async () => {
    for (const node of NODES) await propose(`node-${node}`, withClient());
    await restart();
    const newest = await findNewest(world.exchange, 1);
    const kept = newest && (await world.exchange.file(newest.statement, 'configuration.json'));
    await stepBack(1);
    for (const node of [2, 3]) await propose(`node-${node}`, withClient('other'));
    world.deployed.length = 0;
    expect(JSON.stringify(await plan('infrastructure', undefined))).toContain('leaves node 1 as it is');
    await expect(restart()).rejects.toMatchObject(leaving([1, 'VAULT_CONFIGURATION_DIFFERS']));
    expect(world.deployed).toEqual(['2 old', '3 old']);
    expect(world.fewest).toBe(2);
    expect([...world.inForce.values()].map(({ version }) => version)).toEqual([3, 4, 4]);
    const told = await world.exchange.statement('infrastructure', 'change-restart');
    expect(told?.facts.nodes.map(({ version }) => version)).toEqual([3, 4, 4]);
    // Nothing is left to do but that.
    await expect(restart()).rejects.toEqual(refused('VAULT_CONFIGURATION_DIFFERS'));
    await propose('node-1', { kind: 'configuration', bytes: kept ?? new Uint8Array() });
    await propose('node-1', withClient('other'));
    expect(await restart()).toMatchObject({ isComplete: true });
    expect([...world.inForce.values()].map(({ version }) => version)).toEqual([4, 4, 4]);
  });

  it('keeps no other node from a change where nobody can believe them', async () => {
    for (const node of NODES) await propose(`node-${node}`, withClient());
    const statement = world.exchange.statement.bind(world.exchange);
    world.exchange.statement = (async (role: Role, step: 'change-configuration') => {
      if (role === 'node-1' && step === 'change-configuration')
        throw new ExchangeError('STATEMENT_MALFORMED', 'played');
      return await statement(role, step);
    }) as typeof world.exchange.statement;
    await expect(restart()).rejects.toMatchObject(leaving([1, 'STATEMENT_MALFORMED']));
    expect(world.deployed).toEqual(['2 old', '3 old']);
    for (const node of [2, 3])
      expect(await propose(`node-${node}`, withClient('other'))).toMatchObject({
        done: [`node-${node}/change-configuration`],
      });
    await expect(propose('node-1', withClient('other'))).rejects.toEqual(refused('STATEMENT_MALFORMED'));
  });

  it.each([
    ['that their authorities have not signed', 'CONFIGURATION_UNDER_SIGNED'],
    ['whose file is not there', 'STATEMENT_FILE_MISSING'],
  ])('keeps no other node from a change by one %s', async (_what, code) => {
    const { digest, envelope } = signedConfiguration({ ...firstConfiguration(1), version: 3 });
    const { signatures: _, ...rest } = JSON.parse(Buffer.from(envelope).toString()) as {
      signatures: unknown;
    };
    const unsigned = Buffer.from(JSON.stringify({ ...rest, signatures: [] }));
    await tell(
      'node-1',
      'change-configuration',
      { change: 1, rules: null, configuration: digest, version: 3 },
      code === 'STATEMENT_FILE_MISSING'
        ? undefined
        : { name: 'configuration.json', bytes: new Uint8Array(unsigned) },
    );
    for (const node of [2, 3]) await propose(`node-${node}`, withClient());
    await expect(restart()).rejects.toMatchObject(leaving([1, code]));
    expect(world.deployed).toEqual(['2 old', '3 old']);
    expect(world.fewest).toBe(2);
  });

  it('keeps no other node from a change by what they state of the keys of their log', async () => {
    await tell('node-3', 'narrow', { policy: 'cc'.repeat(48), log: 'none', witness: 'none' });
    for (const node of [1, 2]) await propose(`node-${node}`, withClient());
    const witnessed = {
      ...vault,
      parts: { ...vault.parts, peerWitnesses: { threshold: 1, maxUncosignedSeconds: 60 } },
    };
    const ceremonyOf = changeCeremony(vault, { proposal: undefined, withoutKeys: [], client: undefined });
    const own = contextOf('infrastructure');
    const uploaded: string[] = [];
    const s3: StepContext['aws']['s3'] = async (region) => {
      const client = await own.aws.s3(region);
      const send = async (command: { readonly input: { readonly Body?: Uint8Array } }) => {
        uploaded.push(Buffer.from(command.input.Body ?? []).toString());
        return await client.send(command as never);
      };
      return { send } as unknown as typeof client;
    };
    const context = { ...own, vault: witnessed, aws: { ...own.aws, s3 } };
    await applyRole(context, () => undefined, { ceremony: ceremonyOf });
    expect(world.deployed).toEqual(['1 old', '2 old']);
    expect(uploaded.filter((text) => text.includes('holdfast-deployment/'))).toHaveLength(2);
    expect(uploaded.join('\n')).not.toContain('"none"');
  });

  it.each([1, 2])('keeps no other node from an upgrade, nor from the way back (node %d)', async (hostile) => {
    const others = NODES.filter((node) => node !== hostile);
    await admitAll();
    const before = await world.exchange.statement(`node-${hostile}`, 'upgrade-configuration');
    const kept = before && (await world.exchange.file(before, 'configuration.json'));
    await stepBack(hostile);
    world.deployed.length = 0;
    world.fewest = 3;
    for (const _run of [1, 2])
      await expect(apply('infrastructure')).rejects.toMatchObject(
        leaving([hostile, 'VAULT_CONFIGURATION_DIFFERS']),
      );
    expect(world.deployed.toSorted()).toEqual(others.map((node) => `${node} new`));
    expect(world.fewest).toBe(2);
    expect(world.running.get(hostile)).toBe('old');
    expect(await world.exchange.statement('infrastructure', 'upgrade-nodes')).toBeUndefined();
    if (before === undefined) throw new TypeError('expected a statement');
    await tell(`node-${hostile}`, 'upgrade-configuration', before.facts, {
      name: 'configuration.json',
      bytes: kept ?? new Uint8Array(),
    });
    expect(await apply('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    await stepBack(hostile);
    world.deployed.length = 0;
    await expect(back('infrastructure')).rejects.toMatchObject(
      leaving([hostile, 'VAULT_CONFIGURATION_DIFFERS']),
    );
    expect(world.deployed).toHaveLength(2);
    for (const node of others) expect(world.running.get(node)).toBe('old');
    // Infrastructure takes the host of that node away, and the others need nothing of its admin any more.
    kill(hostile);
    expect(await back('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    for (const node of others) await back(`node-${node}`);
    world.fewest = 3;
    const seeing = { look: () => Promise.resolve(null), sign: () => Promise.resolve(null) };
    await expect(back('infrastructure', { client: seeing })).rejects.toEqual(
      refused('UPGRADE_QUORUM_AT_RISK'),
    );
    // After the day none of them signs with the others before it has its configuration.
    const alone = { ...seeing, look: () => Promise.resolve('PEERS_NOT_CONNECTED') };
    expect(await back('infrastructure', { client: alone })).toMatchObject({
      done: ['infrastructure/upgrade-restore'],
    });
    for (const node of others) {
      const images = (await newestOf(node)).quorum?.peers.flatMap((peer) => peer.images) ?? [];
      expect(images.map(({ notAfter }) => notAfter)).toEqual([null, null]);
    }
    expect(await back('infrastructure')).toMatchObject({ waitsFor: [{ role: `node-${hostile}` }] });
  });
});

describe('an admin who tells of a release that nobody has', () => {
  /** Has the admin of node 3 name an upgrade to a release of their own. */
  const nameAlone = async () => {
    const sha384 = 'dd'.repeat(48);
    const release = { version: '9.9.9', pcrJson: sha384, pcrs: {} };
    const { digest, envelope, version } = signedConfiguration({ ...firstConfiguration(3), version: 3 });
    await tell(
      'node-3',
      'upgrade-configuration',
      {
        upgrade: { from: '1.4.0', to: '9.9.9', attempt: 1 },
        old: release,
        new: release,
        until: '2030-01-01T00:00:00Z',
        rebuilt: false,
        nonce: '0b'.repeat(32),
        configuration: digest,
        version,
      },
      { name: 'configuration.json', bytes: envelope },
    );
  };
  const withoutIt = (role: Role) => ({
    ...contextOf(role),
    release: async (version?: string) =>
      version === '9.9.9'
        ? await Promise.reject(new Error('nobody has it'))
        : await contextOf(role).release(version),
  });
  const client = { look: () => Promise.resolve(null), sign: () => Promise.resolve(null) };

  it('keeps no other from a change, nor from bringing a lost host back', async () => {
    await nameAlone();
    for (const node of [1, 2]) await propose(`node-${node}`, withClient());
    await applyRole(withoutIt('infrastructure'), () => undefined, {
      ceremony: changeCeremony(vault, { proposal: undefined, withoutKeys: [], client }),
    });
    expect(world.deployed).toEqual(['1 old', '2 old']);
    const { begin } = firstCeremony(vault);
    for (const role of ['infrastructure', 'node-1'] as const)
      expect((await begin?.(withoutIt(role)))?.size).toBe(0);
    await expect(begin?.(withoutIt('node-3'))).rejects.toEqual(refused('VAULT_UPGRADE_UNDER_WAY'));
    expect((await findUpgradeState(vault, world.exchange)).open).toMatchObject({ isShared: false });
  });

  it('keeps no other node from being started on another host by vouching for another release', async () => {
    const first = async (step: Step) =>
      await applyRole(contextOf('infrastructure'), () => undefined, {
        ceremony: { steps: [step], counts: () => true },
      });
    const stated = await world.exchange.statement('node-3', 'release');
    if (stated === undefined) throw new TypeError('expected a statement');
    await tell('node-3', 'release', { ...stated.facts, version: '9.9.9' });
    await tell('node-3', 'nonce', { nonce: '0c'.repeat(32) });
    for (const step of [infrastructureAttestations(vault), infrastructureStart(vault)])
      expect(await step.inspect(contextOf('infrastructure'))).toEqual({ state: 'done' });
    kill(2);
    world.launched.set(2, 1);
    await first(infrastructureHosts(vault));
    revive(2, 'old');
    await expect(first(infrastructureRestart(vault))).rejects.toMatchObject(
      leaving([3, 'VAULT_RELEASE_DIFFERS']),
    );
    expect(world.deployed).toEqual(['2 old', '1 old']);
    expect(world.fewest).toBe(2);
    expect(await first(infrastructureRestart(vault))).toMatchObject({ done: [], isComplete: true });
  });
});

describe('the first ceremony, run again after a change', () => {
  const witnessed = {
    ...vault,
    parts: { ...vault.parts, peerWitnesses: { threshold: 1, maxUncosignedSeconds: 60 } },
  };
  const context = () => ({ ...contextOf('node-1'), vault: witnessed });
  const steps = [
    nodeConfiguration(witnessed, 1),
    nodePeersConfiguration(witnessed, 1),
    nodeFinalConfiguration(witnessed, 1),
  ] as const;
  const tellEarlier = async () => {
    const { digest, envelope, version } = signedConfiguration({ ...firstConfiguration(1), version: 1 });
    const file = { name: 'configuration.json', bytes: envelope };
    for (const step of ['configuration', 'peers-configuration'] as const)
      await tell('node-1', step, { configuration: digest, version }, file);
  };

  it('signs the first rules no more, whatever another admin states of the keys of their log', async () => {
    await tellEarlier();
    const [first] = steps;
    expect((await first.inspect(context())).state).toBe('ready');
    await propose('node-1', withClient());
    await tell('node-3', 'narrow', { policy: 'cc'.repeat(48), log: 'other', witness: 'other' });
    for (const step of steps) {
      expect(await step.inspect(context())).toEqual({ state: 'done' });
      await expect(step.apply(context())).rejects.toEqual(refused('VAULT_CEREMONY_OVER'));
    }
    expect(await clientsOf(1)).toContain('desk');
  });

  it('refuses to sign them where its own statement is gone', async () => {
    await propose('node-1', withClient());
    for (const step of steps.slice(0, 2))
      await expect(step.inspect(context())).rejects.toEqual(refused('VAULT_CEREMONY_OVER'));
  });

  it('signs none after an upgrade either', async () => {
    await tellEarlier();
    await apply('node-1');
    for (const step of steps) expect(await step.inspect(context())).toEqual({ state: 'done' });
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
