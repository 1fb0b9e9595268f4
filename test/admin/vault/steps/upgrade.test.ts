import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../../../attestation/index.ts';
import type { Facts } from '../../../../admin/vault/exchange/index.ts';
import type { RollOutEvent } from '../../../../admin/upgrade/index.ts';
import { applyRole, planRole } from '../../../../admin/vault/steps/index.ts';
import { findPlaces } from '../../../../admin/vault/profiles.ts';
import { firstCeremony } from '../../../../admin/vault/steps/ceremony.ts';
import { infrastructureHosts } from '../../../../admin/vault/steps/infrastructure-hosts.ts';
import { infrastructureRestart } from '../../../../admin/vault/steps/infrastructure-restart.ts';
import { nodeNarrow } from '../../../../admin/vault/steps/node-narrow.ts';
import { nodeUpgradeGate } from '../../../../admin/vault/steps/upgrade/node-upgrade-gate.ts';
import {
  describeUpgrade,
  nameRollBack,
  nameUpgrade,
  openUpgradeJournal,
  rollBackCeremony,
  type Upgrade,
} from '../../../../admin/vault/steps/upgrade/index.ts';
import {
  addressOf,
  admitAll,
  apply,
  applyNodes,
  back,
  ceremony,
  contextOf,
  hex,
  imageOf,
  isAdmitted,
  IMAGES,
  kill,
  nameOf,
  NODES,
  NOW,
  parsed,
  policyOf,
  resetWorld,
  revive,
  ROLES,
  state,
  tell,
  UNTIL,
  upgrade,
  vault,
  VERSIONS,
  world,
} from './fake-vault.ts';

beforeEach(resetWorld);

const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('the steps of an upgrade', () => {
  it('bring a quorum of two in three to another image, the canary first, with two nodes up at all times', async () => {
    await applyNodes();
    await apply('infrastructure');
    expect(world.deployed).toEqual(['1 new', '1 old', '2 new', '2 old', '3 new', '3 old']);
    await applyNodes();
    expect(NODES.every((node) => world.policies.get(node)?.includes('DateLessThan'))).toBe(true);
    await apply('infrastructure');
    expect(world.deployed.slice(6)).toEqual(['2 new', '1 new', '3 new']);
    expect(world.fewest).toBe(2);
    await applyNodes();
    expect(NODES.map((node) => JSON.parse(world.policies.get(node) ?? '') as unknown)).toEqual(
      NODES.map((node) => JSON.parse(policyOf(node, 'new')) as unknown),
    );
    for (const role of ROLES) expect(await apply(role)).toMatchObject({ done: [], isComplete: true });
  });

  it('stop at the first refusal, refuse every later run, and go back within the overlap', async () => {
    await applyNodes();
    await apply('infrastructure');
    await applyNodes();
    world.refuses.set(2, 'QUORUM_UNREACHABLE');
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_QUORUM_NOT_SIGNING'));
    expect(world.deployed.slice(6)).toEqual(['2 new']);
    world.refuses.clear();
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_STOPPED'));
    expect(await apply('node-1')).toMatchObject({ done: [], isComplete: false });
    expect(await back('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
    expect(openUpgradeJournal(contextOf('infrastructure')).stopped()).toBeNull();
  });

  it('touch nothing once the day is over', async () => {
    await applyNodes();
    await apply('infrastructure');
    await applyNodes();
    const before = world.deployed.length;
    world.now = UNTIL;
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_OVERLAP_EXPIRED'));
    expect(world.deployed.length).toBe(before);
  });

  it('take no node down while another is down, and have that one attest first when it is back', async () => {
    await applyNodes();
    kill(3);
    await expect(apply('infrastructure')).rejects.toEqual(refused('VAULT_DEPLOY_MALFORMED'));
    expect(world.deployed).toEqual([]);
    world.dead.delete(3);
    await apply('infrastructure');
    expect(world.deployed).toEqual(['3 new', '3 old', '1 new', '1 old', '2 new', '2 old']);
    expect(world.fewest).toBe(2);
  });

  it('do not open the gate of a key whose policy is not that of the old image', async () => {
    await applyNodes();
    await apply('infrastructure');
    const other = policyOf(2, 'old');
    world.policies.set(1, other);
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_KEY_POLICY_CHANGED'));
    expect(world.policies.get(1)).toBe(other);
  });

  it('show both images before the new one is let in', async () => {
    await applyNodes();
    await apply('infrastructure');
    const planned = await planRole(contextOf('node-1'), ceremony());
    const gate = planned.find(({ step }) => step.id === 'node-1/upgrade-gate')?.state;
    for (const image of ['old', 'new'] as const)
      expect(JSON.stringify(gate)).toContain(
        `release ${VERSIONS[image]}, PCR0 ${hex(IMAGES[image].get(0) ?? new Uint8Array())}`,
      );
  });

  it('do not narrow a policy while a node attests the old image, whatever infrastructure has said', async () => {
    await applyNodes();
    await apply('infrastructure');
    await applyNodes();
    await apply('infrastructure');
    world.running.set(3, 'old');
    const before = world.policies.get(1);
    await expect(apply('node-1')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    expect(world.policies.get(1)).toBe(before);
  });

  it('refuse a run without a day, and one of too late a day', async () => {
    await expect(apply('node-1', { until: undefined })).rejects.toEqual(refused('VAULT_UPGRADE_DAY_MISSING'));
    const until = NOW + 31 * 86_400_000;
    await expect(apply('node-1', { until })).rejects.toEqual(refused('UPGRADE_OVERLAP_LENGTH'));
  });

  it('wait for the statements of this upgrade, and not of another', async () => {
    await applyNodes();
    const planned = await planRole(contextOf('infrastructure'), ceremony({ to: '1.6.0' }));
    expect(planned[0]?.state).toMatchObject({ state: 'waiting' });
  });

  it('take up a run that was cut off while nodes attested, and stop no node twice', async () => {
    await applyNodes();
    world.failing = (what) => (what === '2 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    expect(world.deployed).toEqual(['1 new', '1 old', '2 old']);
    world.failing = () => undefined;
    await apply('infrastructure');
    expect(world.deployed.slice(3)).toEqual(['1 old', '2 new', '2 old', '3 new', '3 old']);
    await applyNodes();
    expect(world.policies.get(1)).toContain('DateLessThan');
  });

  it('make another nonce where a document has grown too old for the gate, for that node alone', async () => {
    await applyNodes();
    await apply('infrastructure');
    for (const node of [2, 3] as const) await apply(`node-${node}`);
    world.now += 2.6 * 3_600_000;
    expect(await apply('node-1')).toMatchObject({
      done: ['node-1/upgrade-configuration'],
      waitsFor: [{ step: 'infrastructure/upgrade-attestations' }],
    });
    world.deployed.length = 0;
    await apply('infrastructure');
    expect(world.deployed.slice(0, 2)).toEqual(['1 new', '1 old']);
    expect(await apply('node-1')).toMatchObject({ done: ['node-1/upgrade-gate'] });
  });

  it('refuse another day than the one that was signed', async () => {
    await apply('node-1');
    await expect(apply('node-1', { until: UNTIL + 86_400_000 })).rejects.toEqual(
      refused('VAULT_UPGRADE_DAY_DIFFERS'),
    );
  });

  it('are refused where the admin of a node vouches for other bytes', async () => {
    await apply('node-1');
    await apply('node-2');
    const other: Upgrade['release'] = async (version) => {
      const found = await upgrade.release(version);
      const pcrJson = Buffer.from(formatPcrFile(imageOf(0x30)));
      return version === VERSIONS.new ? { ...found, pcrJson: new Uint8Array(pcrJson) } : found;
    };
    await expect(apply('node-3', { release: other })).rejects.toEqual(refused('VAULT_RELEASE_DIFFERS'));
    await expect(apply('node-3', { to: '1.5.1' })).rejects.toEqual(refused('VAULT_RELEASE_DIFFERS'));
    expect(await world.exchange.statement('node-3', 'upgrade-configuration')).toBeUndefined();
  });

  it('wait for every admin to rebuild the image where vault.yaml wants that', async () => {
    const { rebuilds } = vault.release;
    const missing = expect.objectContaining({ code: 'VAULT_REBUILD_MISSING', details: { node: 2 } });
    vault.release.rebuilds = 'required';
    try {
      await apply('node-1');
      await expect(apply('node-2', { isRebuilt: false })).rejects.toEqual(missing);
      expect(await world.exchange.statement('node-2', 'upgrade-configuration')).toBeUndefined();
      vault.release.rebuilds = 'optional';
      await apply('node-2', { isRebuilt: false });
      await apply('node-3');
      vault.release.rebuilds = 'required';
      await expect(apply('infrastructure')).rejects.toEqual(missing);
      await expect(apply('node-3')).rejects.toEqual(missing);
    } finally {
      vault.release.rebuilds = rebuilds;
    }
  });

  it('do not take from one statement that the nodes come from another release than they run', async () => {
    await apply('node-3');
    const stated = await world.exchange.statement('node-3', 'upgrade-configuration');
    if (stated === undefined) throw new TypeError('expected a statement');
    const [from, configuration] = ['1.3.0', new Uint8Array(Buffer.from('{}'))];
    await tell(
      'node-1',
      'upgrade-configuration',
      { ...stated.facts, upgrade: { ...nameOf(upgrade), from } },
      { name: 'configuration.json', bytes: configuration },
    );
    const { upgrade: named } = (await state()).open ?? {};
    expect(named).toEqual(nameOf(upgrade));
    expect(await apply('node-2')).toMatchObject({ done: ['node-2/upgrade-configuration'] });
    const planned = await planRole(contextOf('infrastructure'), ceremony());
    expect(planned[0]?.state).toMatchObject({
      state: 'waiting',
      waitsFor: [{ role: 'node-1', step: 'node-1/upgrade-configuration' }],
    });
  });

  it('do not count an upgrade that infrastructure alone has named, however it is numbered', async () => {
    const nodes = NODES.map((node) => ({
      node,
      url: `https://${addressOf(node)}:8443`,
      identity: { store: '0a'.repeat(32), epoch: 1, logSize: 9 },
    }));
    const image = 'new' as const;
    const bogus = { from: VERSIONS.old, to: '9.9.9', attempt: Number.MAX_SAFE_INTEGER };
    await tell('infrastructure', 'upgrade-nodes', { upgrade: bogus, image, nodes });
    expect(await state()).toMatchObject({ running: VERSIONS.old, open: undefined, closed: undefined });
    await admitAll();
    await apply('infrastructure');
    await applyNodes();
    await tell('infrastructure', 'upgrade-nodes', { upgrade: bogus, image, nodes });
    expect(await state()).toMatchObject({
      running: VERSIONS.new,
      open: undefined,
      closed: { upgrade: nameOf(upgrade), image: 'new', left: [] },
    });
    expect((await findPlaces(vault, world.exchange)).release.version).toBe(VERSIONS.new);
    expect(nameUpgrade(await state(), '1.6.0')).toMatchObject({ from: VERSIONS.new, attempt: 2 });
  });

  it('show the measurements of both images before anything is signed', async () => {
    const [planned] = await planRole(contextOf('node-1'), ceremony());
    const { changes = [] } = planned?.state.state === 'ready' ? planned.state : {};
    for (const image of ['old', 'new'] as const)
      expect(changes.join('\n')).toContain(
        `release ${VERSIONS[image]}, PCR0 ${hex(IMAGES[image].get(0) ?? new Uint8Array())}`,
      );
  });

  it('sign nothing for a node whose key admits another image than the one that it is to come from', async () => {
    world.policies.set(1, policyOf(1, 'new'));
    const [planned] = await planRole(contextOf('node-1'), ceremony());
    expect(planned?.state).toMatchObject({ state: 'refused', code: 'VAULT_KEY_POLICY_CHANGED' });
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_KEY_POLICY_CHANGED'));
    expect(await world.exchange.statement('node-1', 'upgrade-configuration')).toBeUndefined();
  });

  it('do not count a client that may not sign as the fault of an image', async () => {
    await admitAll();
    const before = world.deployed.length;
    for (const node of NODES) world.refuses.set(node, 'POLICY_DENIED');
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_QUORUM_NOT_SIGNING'));
    expect(world.deployed.length).toBe(before);
    expect(openUpgradeJournal(contextOf('infrastructure')).stopped()).toBeNull();
  });

  it('stop at a canary that no gate has admitted, and touch no other node', async () => {
    await admitAll();
    world.policies.set(2, policyOf(2, 'old'));
    world.deployed.length = 0;
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_NODE_NOT_SERVING'));
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_STOPPED'));
    const planned = await planRole(contextOf('infrastructure'), ceremony());
    expect(planned.at(-1)?.state).toMatchObject({ state: 'refused', code: 'UPGRADE_STOPPED' });
    expect(world.deployed).toEqual(['2 new']);
  });

  it('do not stop where the credentials are over: the next run goes on with the node that was next', async () => {
    await admitAll();
    world.deployed.length = 0;
    world.failing = (what) => (what === '1 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    expect(openUpgradeJournal(contextOf('infrastructure')).stopped()).toBeNull();
    world.failing = () => undefined;
    await apply('infrastructure');
    expect(world.deployed).toEqual(['2 new', '1 new', '3 new']);
  });

  it.each([
    ['on', ['1 new', '3 new']],
    ['back', ['2 old']],
  ])('go %s by the day of each node, though that of another one is over', async (way, deployed) => {
    const short = (Math.floor(NOW / 1000) + 2 * 3600) * 1000;
    await apply('node-1', { until: short });
    for (const node of [2, 3] as const) await apply(`node-${node}`);
    await apply('infrastructure');
    await applyNodes({ until: undefined });
    world.failing = (what) => (what === '1 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    world.failing = () => undefined;
    world.now = short;
    world.deployed.length = 0;
    await (way === 'on' ? apply : back)('infrastructure');
    expect(world.deployed).toEqual(deployed);
  });

  it('bring a node that can no longer sign to the new image, though the day is over in the middle', async () => {
    await admitAll();
    world.failing = (what) => (what === '3 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    world.failing = () => undefined;
    world.now = UNTIL;
    await expect(back('infrastructure')).rejects.toEqual(refused('UPGRADE_OVERLAP_EXPIRED'));
    world.running.set(3, null);
    expect(await apply('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    expect([...world.running.values()]).toEqual(['new', 'new', 'new']);
  });

  it('stop at a node whose host is lost after the canary, and go on when it is back', async () => {
    await admitAll();
    world.failing = (what) => (what === '1 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    world.failing = () => undefined;
    kill(3);
    world.deployed.length = 0;
    await expect(apply('infrastructure')).rejects.toMatchObject({
      code: 'UPGRADE_NODE_NOT_SERVING',
      details: { node: 3, reason: 'VAULT_DEPLOY_MALFORMED' },
    });
    expect(world.deployed).toEqual([]);
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_STOPPED'));
    revive(3, 'old');
    world.running.set(3, null);
    await openUpgradeJournal(contextOf('infrastructure')).setStopped(null);
    await apply('infrastructure');
    expect(world.deployed).toEqual(['3 new', '1 new']);
  });

  /** Has the admin of node 1 state the configuration of the overlap again, by hand, and with something else in it. */
  const restate = async (change: Partial<Facts<'upgrade-configuration'>>) => {
    const stated = await world.exchange.statement('node-1', 'upgrade-configuration');
    if (stated === undefined) throw new TypeError('expected a statement');
    const bytes = await world.exchange.file(stated, 'configuration.json');
    const facts = { ...stated.facts, ...change };
    await tell('node-1', 'upgrade-configuration', facts, { name: 'configuration.json', bytes });
    return stated.facts;
  };

  describe.each<[string, string, Partial<Facts<'upgrade-configuration'>>]>([
    [
      'other measurements',
      'VAULT_RELEASE_DIFFERS',
      { new: { version: VERSIONS.new, pcrJson: 'dd'.repeat(48), pcrs: { 0: 'dd'.repeat(48) } } },
    ],
    ['another release', 'VAULT_RELEASE_DIFFERS', { upgrade: { ...nameOf(upgrade), to: '1.5.1' } }],
    ['an image that they have not rebuilt', 'VAULT_REBUILD_MISSING', { rebuilt: false }],
  ])('of which one admin, once all gates are open, vouches for %s', (_, code, change) => {
    const { rebuilds } = vault.release;
    const left = {
      code: 'VAULT_NODES_LEFT',
      details: { left: [{ node: 1, code, waitsFor: 'node-1' }] },
    };
    let before: Facts<'upgrade-configuration'>;

    beforeEach(async () => {
      vault.release.rebuilds = 'required';
      await admitAll();
      world.failing = (what) => (what === '1 new' ? 'ExpiredTokenException' : undefined);
      await apply('infrastructure').catch(() => undefined);
      world.failing = () => undefined;
      before = await restate(change);
      world.deployed.length = 0;
    });
    afterEach(() => {
      vault.release.rebuilds = rebuilds;
    });

    it('go on at the other nodes, and take that one along when the admin has mended it', async () => {
      expect([...world.running.values()]).toEqual(['old', 'new', 'old']);
      const planned = await planRole(contextOf('infrastructure'), ceremony());
      expect(planned.at(-1)?.state).toMatchObject({ state: 'ready' });
      expect(planned.map(({ state: found }) => found.state)).not.toContain('refused');
      for (const _again of [1, 2]) await expect(apply('infrastructure')).rejects.toMatchObject(left);
      expect(world.deployed).toEqual(['3 new']);
      expect([...world.running.values()]).toEqual(['old', 'new', 'new']);
      expect(world.fewest).toBe(2);
      for (const role of ['node-2', 'node-3'] as const)
        expect(await apply(role)).toMatchObject({ waitsFor: [{ step: 'infrastructure/upgrade-nodes' }] });
      await restate(before);
      await apply('infrastructure');
      expect(world.deployed).toEqual(['3 new', '1 new']);
      await applyNodes();
      expect(await state()).toMatchObject({ open: undefined, closed: { image: 'new' } });
    });

    it('go back at all nodes', async () => {
      expect(await nameRollBack(vault, world.exchange, await state())).toEqual(nameOf(upgrade));
      expect(await back('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
      expect(world.deployed).toEqual(['2 old']);
      expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
      for (const role of ['node-2', 'node-3'] as const)
        expect(await back(role)).toMatchObject({ done: [`${role}/upgrade-rollback`] });
    });

    it('leave no way back after the day, and take that node along still when the admin has mended it', async () => {
      await expect(apply('infrastructure')).rejects.toMatchObject(left);
      world.now = UNTIL;
      world.deployed.length = 0;
      await expect(apply('infrastructure')).rejects.toMatchObject(left);
      await expect(back('infrastructure')).rejects.toEqual(refused('UPGRADE_OVERLAP_EXPIRED'));
      expect(world.deployed).toEqual([]);
      await restate(before);
      await apply('infrastructure');
      await applyNodes();
      expect(await state()).toMatchObject({ open: undefined, closed: { image: 'new' } });
    });

    it('start that node with the old image where it is down, so that the others have it to sign with', async () => {
      world.running.set(1, null);
      world.running.set(2, 'old');
      await expect(apply('infrastructure')).rejects.toMatchObject(left);
      expect(world.deployed).toEqual(['1 old', '2 new', '3 new']);
    });

    it('have the other keys narrowed, where all nodes run the new image already', async () => {
      await restate(before);
      await apply('infrastructure');
      await restate(change);
      for (const role of ['node-2', 'node-3'] as const)
        expect(await apply(role)).toMatchObject({ done: [`${role}/upgrade-narrow`] });
    });
  });

  it('are not asked of a nonce that an admin makes by hand once their gate is open', async () => {
    await admitAll();
    await restate({ nonce: '0b'.repeat(32) });
    world.deployed.length = 0;
    await apply('infrastructure');
    expect(world.deployed).toEqual(['2 new', '1 new', '3 new']);
  });

  it('come to their end though one admin alone rolls back what all nodes run', async () => {
    await admitAll();
    await apply('infrastructure');
    const { policy, configuration, version } = {
      policy: 'cc'.repeat(48),
      configuration: 'dd'.repeat(48),
      version: 4,
    };
    await tell(
      'node-1',
      'upgrade-rollback',
      { upgrade: nameOf(upgrade), policy, configuration, version },
      { name: 'configuration.json', bytes: new Uint8Array(Buffer.from('{}')) },
    );
    world.now = UNTIL;
    expect(await state()).toMatchObject({ running: VERSIONS.new, open: { direction: 'forward' } });
    expect((await findPlaces(vault, world.exchange)).release.version).toBe(VERSIONS.new);
    expect(nameUpgrade(await state(), undefined)).toEqual(nameOf(upgrade));
    for (const role of ['node-2', 'node-3'] as const)
      expect(await apply(role)).toMatchObject({ done: [`${role}/upgrade-narrow`] });
    expect(await apply('infrastructure')).toMatchObject({ done: [], isComplete: true });
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_UPGRADE_ROLLING_BACK'));
    expect(await state()).toMatchObject({ running: VERSIONS.new, open: { direction: 'forward' } });
  });

  it('keep the first ceremony away until they are done, and leave nothing of it to do then', async () => {
    const { begin } = firstCeremony(vault);
    expect((await begin?.(contextOf('node-1')))?.size).toBe(0);
    await apply('node-1');
    await expect(planRole(contextOf('node-1'))).rejects.toEqual(refused('VAULT_UPGRADE_UNDER_WAY'));
    await admitAll();
    await expect(applyRole(contextOf('infrastructure'), () => undefined)).rejects.toEqual(
      refused('VAULT_UPGRADE_UNDER_WAY'),
    );
    await apply('infrastructure');
    await applyNodes();
    const taken = await begin?.(contextOf('node-1'));
    for (const name of ['gate', 'final-configuration'] as const) expect(taken?.has(name)).toBe(true);
    // The policy is still looked at, by the release that runs.
    expect(await nodeNarrow(1).inspect(contextOf('node-1'))).toEqual({ state: 'done' });
    world.policies.set(1, policyOf(1, 'old'));
    await expect(nodeNarrow(1).inspect(contextOf('node-1'))).rejects.toEqual(
      refused('VAULT_KEY_POLICY_CHANGED'),
    );
  });

  it('have a host that is gone made anew by the first ceremony, and nothing else', async () => {
    await admitAll();
    kill(3);
    const infrastructure = contextOf('infrastructure');
    await expect(planRole(infrastructure)).rejects.toEqual(refused('VAULT_UPGRADE_UNDER_WAY'));
    world.launched.delete(3);
    await expect(planRole(contextOf('node-3'))).rejects.toEqual(refused('VAULT_UPGRADE_UNDER_WAY'));
    const planned = await planRole(infrastructure);
    expect(planned.filter(({ state: found }) => found.state !== 'done').map(({ step }) => step.id)).toEqual([
      'infrastructure/hosts',
    ]);
    // A run that is cut off after the host is there, and before the others know, is taken up.
    world.launched.set(3, 1);
    expect(await applyRole(infrastructure, () => undefined)).toMatchObject({
      done: ['infrastructure/hosts'],
    });
    expect((await world.exchange.statement('infrastructure', 'hosts'))?.facts.hosts[2]).toEqual({
      node: 3,
      instanceId: 'i-00000013',
      address: '10.0.1.3',
    });
    await expect(planRole(infrastructure)).rejects.toEqual(refused('VAULT_UPGRADE_UNDER_WAY'));
    world.dead.delete(3);
    world.deployed.length = 0;
    await apply('infrastructure');
    expect(world.deployed).toEqual(['3 old', '2 new', '1 new', '3 new']);
  });

  it('lead to a further release after the first, whose statements do not count', async () => {
    await admitAll();
    await apply('infrastructure');
    expect(await state()).toMatchObject({ running: VERSIONS.new, open: { direction: 'forward' } });
    await applyNodes();
    expect(nameUpgrade(await state(), VERSIONS.new)).toEqual({ from: '1.4.0', to: '1.5.0', attempt: 1 });
    const next = nameUpgrade(await state(), VERSIONS.old);
    expect(next).toEqual({ from: VERSIONS.new, to: VERSIONS.old, attempt: 2 });
    const planned = await planRole(contextOf('infrastructure'), ceremony(next));
    expect(planned[0]?.state).toMatchObject({ state: 'waiting' });
    await admitAll(next);
    world.deployed.length = 0;
    await apply('infrastructure', next);
    expect(world.deployed).toEqual(['2 old', '1 old', '3 old']);
    await applyNodes(next);
    expect(NODES.map((node) => parsed(world.policies.get(node)))).toEqual(
      NODES.map((node) => parsed(policyOf(node, 'old'))),
    );
    expect(await state()).toMatchObject({ running: VERSIONS.old, open: undefined });
  });
});

describe('a roll back', () => {
  it('takes the new image out of each key and configuration, once the admin has seen all nodes on the old one', async () => {
    await admitAll();
    world.failing = (what) => (what === '3 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    world.failing = () => undefined;
    expect(await back('node-1')).toMatchObject({ done: [], isComplete: false });
    world.deployed.length = 0;
    await back('infrastructure');
    expect(world.deployed).toEqual(['1 old', '2 old']);
    world.running.set(2, 'new');
    await expect(back('node-1')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    world.running.set(2, 'old');
    for (const node of NODES) await back(`node-${node}`);
    expect(NODES.map((node) => parsed(world.policies.get(node)))).toEqual(
      NODES.map((node) => parsed(policyOf(node, 'old'))),
    );
    expect(await back('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-restore'] });
    for (const role of ROLES) expect(await back(role)).toMatchObject({ done: [], isComplete: true });
    const stated = await world.exchange.statement('node-1', 'upgrade-rollback');
    const file = stated && (await world.exchange.file(stated, 'configuration.json'));
    const { payload } = parsed(Buffer.from(file ?? []).toString()) as { payload: string };
    const text = Buffer.from(payload, 'base64').toString();
    expect(text).not.toContain(hex(IMAGES.new.get(0) as Uint8Array));
    expect(text).toContain('"notAfter": null');
  });

  it('is not passed over by the next try, whose documents are new', async () => {
    await admitAll();
    await back('infrastructure');
    await expect(state().then((found) => nameUpgrade(found, VERSIONS.new))).rejects.toEqual(
      refused('VAULT_UPGRADE_ROLLING_BACK'),
    );
    for (const node of NODES) await back(`node-${node}`);
    await back('infrastructure');
    const again = nameUpgrade(await state(), VERSIONS.new);
    expect(again).toEqual({ from: VERSIONS.old, to: VERSIONS.new, attempt: 2 });
    const planned = await planRole(contextOf('infrastructure'), ceremony(again));
    expect(planned.map(({ state: { state: found } }) => found)).toEqual(['waiting', 'waiting']);
    world.deployed.length = 0;
    await admitAll(again);
    expect(world.deployed).toEqual(['1 new', '1 old', '2 new', '2 old', '3 new', '3 old']);
    await apply('infrastructure', again);
    await applyNodes(again);
    expect(await state()).toMatchObject({ running: VERSIONS.new, open: undefined });
  });

  it('is refused once a key no longer admits the old image, and where there is nothing to go back from', async () => {
    await expect(nameRollBack(vault, world.exchange, await state())).rejects.toEqual(
      refused('VAULT_UPGRADE_NONE'),
    );
    await admitAll();
    await apply('infrastructure');
    await apply('node-1');
    await expect(nameRollBack(vault, world.exchange, await state())).rejects.toEqual(
      refused('VAULT_UPGRADE_NARROWED'),
    );
  });

  it('that a narrowed key cuts off leaves the way to the new image open', async () => {
    await admitAll();
    await apply('infrastructure');
    // Node 1's admin has narrowed the key, and their statement is still on its way.
    world.policies.set(1, policyOf(1, 'new'));
    await expect(back('infrastructure')).rejects.toEqual(refused('UPGRADE_NODE_NOT_SERVING'));
    expect([...world.running.values()]).toEqual([null, 'new', 'old']);
    await tell('node-1', 'upgrade-narrow', { upgrade: nameOf(upgrade), policy: 'cc'.repeat(48) });
    world.deployed.length = 0;
    await expect(back('infrastructure')).rejects.toEqual(refused('VAULT_UPGRADE_NARROWED'));
    expect(world.deployed).toEqual([]);
    await expect(apply('infrastructure')).rejects.toEqual(refused('UPGRADE_STOPPED'));
    await openUpgradeJournal(contextOf('infrastructure')).setStopped(null);
    expect(await apply('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    expect([...world.running.values()]).toEqual(['new', 'new', 'new']);
    expect(await apply('infrastructure')).toMatchObject({ done: [], isComplete: true });
  });

  it('ends where a key was narrowed since it began, before it touches the next node', async () => {
    await admitAll();
    await apply('infrastructure');
    world.deployed.length = 0;
    const narrowed = { upgrade: nameOf(upgrade), policy: 'cc'.repeat(48) };
    const client: Upgrade['client'] = {
      look: () => Promise.resolve(null),
      async sign({ node }) {
        if (node === 3) await tell('node-1', 'upgrade-narrow', narrowed);
        return null;
      },
    };
    await expect(back('infrastructure', { client })).rejects.toEqual(refused('VAULT_UPGRADE_NARROWED'));
    expect(world.deployed).toEqual(['3 old']);
    await apply('infrastructure');
    expect(world.deployed).toEqual(['3 old', '3 new']);
  });

  it('is not over by the word of infrastructure while a key still admits the new image', async () => {
    await admitAll();
    await back('infrastructure');
    await back('node-1');
    await back('node-2');
    const { facts } = (await world.exchange.statement('infrastructure', 'upgrade-nodes')) ?? {};
    await tell('infrastructure', 'upgrade-restore', { upgrade: nameOf(upgrade), nodes: facts?.nodes ?? [] });
    expect(await state()).toMatchObject({ open: { direction: 'back' }, closed: undefined });
    await expect(planRole(contextOf('node-3'))).rejects.toEqual(refused('VAULT_UPGRADE_UNDER_WAY'));
    await back('node-3');
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old' } });
  });

  /** Client that sees what the test says. */
  const seeing = (seen: { code: string | null }): Pick<Upgrade, 'client'> => ({
    client: { look: () => Promise.resolve(seen.code), sign: () => Promise.resolve(null) },
  });

  it('goes past a node whose host stays down, and restarts no other while that would leave too few', async () => {
    const events: RollOutEvent[] = [];
    const report = (event: RollOutEvent) => void events.push(event);
    await admitAll();
    kill(3);
    expect(await back('infrastructure', { report })).toMatchObject({
      done: ['infrastructure/upgrade-nodes'],
    });
    expect(events.at(-1)).toEqual({
      event: 'node-left',
      node: 3,
      image: 'old',
      code: 'VAULT_DEPLOY_MALFORMED',
    });
    expect(await state()).toMatchObject({ open: { direction: 'back', left: [3] } });
    for (const node of NODES)
      expect(await back(`node-${node}`)).toMatchObject({ done: [`node-${node}/upgrade-rollback`] });
    expect(NODES.some((node) => isAdmitted(node, 'new'))).toBe(false);
    world.deployed.length = 0;
    world.fewest = 3;
    await expect(back('infrastructure')).rejects.toMatchObject({
      code: 'UPGRADE_QUORUM_AT_RISK',
      details: { others: [{ node: 3 }] },
    });
    expect(world.deployed).toEqual([]);
    // The host boots with what it was told last, of which KMS admits nothing.
    revive(3, 'new');
    expect(world.running.get(3)).toBeNull();
    await back('infrastructure');
    expect(world.deployed).toEqual(['3 old', '1 old', '2 old']);
    expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old', left: [] } });
  });

  it('puts a node back that was left, and whose host comes back with the new image before its key refuses that', async () => {
    await admitAll();
    await apply('infrastructure');
    kill(3);
    world.failing = (what) => (what === '1 old' ? 'ExpiredTokenException' : undefined);
    await expect(back('infrastructure')).rejects.toEqual(refused('UPGRADE_QUORUM_AT_RISK'));
    world.failing = () => undefined;
    world.running.set(1, 'old');
    world.running.set(2, 'old');
    await back('infrastructure');
    expect(await state()).toMatchObject({ open: { direction: 'back', left: [3] } });
    revive(3, 'new');
    expect(world.running.get(3)).toBe('new');
    await expect(back('node-1')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    world.deployed.length = 0;
    expect(await back('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    expect(world.deployed).toEqual(['3 old']);
    for (const node of NODES) await back(`node-${node}`);
    await back('infrastructure');
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old', left: [] } });
  });

  /** Has infrastructure tell again of the upgrade that it has told of last, with another image. */
  const retell = async (image: 'old' | 'new') => {
    const told = await world.exchange.statement('infrastructure', 'upgrade-nodes');
    if (told === undefined) throw new TypeError('expected a statement');
    await tell('infrastructure', 'upgrade-nodes', { ...told.facts, image });
  };

  it('stays closed though infrastructure tells of the new image again, which no key lets in any more', async () => {
    await admitAll();
    await apply('infrastructure');
    await back('infrastructure');
    for (const node of NODES) await back(`node-${node}`);
    await back('infrastructure');
    await retell('new');
    expect(await state()).toMatchObject({
      running: VERSIONS.old,
      open: undefined,
      closed: { upgrade: nameOf(upgrade), image: 'old', left: [] },
    });
    expect((await findPlaces(vault, world.exchange)).release.version).toBe(VERSIONS.old);
    const [first] = await planRole(contextOf('node-1'), ceremony());
    expect(first?.state).toMatchObject({ state: 'refused', code: 'VAULT_UPGRADE_ROLLING_BACK' });
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_UPGRADE_ROLLING_BACK'));
    expect(NODES.some((node) => isAdmitted(node, 'new'))).toBe(false);
  });

  it('is none by the word of infrastructure, once all keys refuse the old image', async () => {
    await admitAll();
    await apply('infrastructure');
    await applyNodes();
    await retell('old');
    expect(await state()).toMatchObject({
      running: VERSIONS.new,
      open: undefined,
      closed: { upgrade: nameOf(upgrade), image: 'new', left: [] },
    });
    expect(nameUpgrade(await state(), '1.6.0')).toMatchObject({ from: VERSIONS.new, attempt: 2 });
    const before = world.policies.get(1);
    await apply('node-1');
    expect(world.policies.get(1)).toBe(before);
  });

  it('that one admin has taken part in is not undone at that key by the word of infrastructure', async () => {
    await admitAll();
    await back('infrastructure');
    await back('node-1');
    await retell('new');
    await expect(apply('node-1')).rejects.toEqual(refused('VAULT_UPGRADE_ROLLING_BACK'));
    const gate = nodeUpgradeGate(upgrade, 1);
    const context = contextOf('node-1');
    await expect(gate.inspect(context)).rejects.toEqual(refused('VAULT_UPGRADE_ROLLING_BACK'));
    await expect(gate.apply(context)).rejects.toEqual(refused('VAULT_UPGRADE_ROLLING_BACK'));
    expect(isAdmitted(1, 'new')).toBe(false);
  });

  it('that two of three admins have taken part in is none by the word of infrastructure for the others either', async () => {
    await admitAll();
    await apply('infrastructure');
    await back('infrastructure');
    for (const role of ['node-1', 'node-2'] as const) await back(role);
    await retell('new');
    expect(await state()).toMatchObject({ running: VERSIONS.old, open: { direction: 'back' } });
    expect((await findPlaces(vault, world.exchange)).release.version).toBe(VERSIONS.old);
    await expect(state().then((found) => nameUpgrade(found, undefined))).rejects.toEqual(
      refused('VAULT_UPGRADE_ROLLING_BACK'),
    );
    expect(await describeUpgrade(vault, world.exchange, NOW)).toMatchObject({
      direction: 'back',
      outruled: 'new',
      nodes: [{ overlap: 'before' }, { overlap: 'before' }, { overlap: 'open' }],
    });
    for (const role of ['infrastructure', 'node-3', 'infrastructure'] as const) await back(role);
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old', left: [] } });
  });

  it('that one admin has taken part in comes to its end, though infrastructure tells of the new image again', async () => {
    await admitAll();
    await apply('infrastructure');
    await back('infrastructure');
    await back('node-1');
    await retell('new');
    // Nobody's key loses the old image by that: no node attests the new one.
    await expect(apply('node-2')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    expect(isAdmitted(2, 'old')).toBe(true);
    expect(await nameRollBack(vault, world.exchange, await state())).toEqual(nameOf(upgrade));
    for (const role of ['infrastructure', 'node-2', 'node-3', 'infrastructure'] as const) await back(role);
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old', left: [] } });
  });

  it('is none by the word of infrastructure once one admin refuses the old image, and the others go on', async () => {
    await admitAll();
    await apply('infrastructure');
    await apply('node-1');
    await retell('old');
    expect(await state()).toMatchObject({ running: VERSIONS.new, open: { direction: 'forward' } });
    expect(nameUpgrade(await state(), undefined)).toEqual(nameOf(upgrade));
    expect(await describeUpgrade(vault, world.exchange, NOW)).toMatchObject({ outruled: 'old' });
    for (const role of ['infrastructure', 'node-2', 'node-3'] as const) await apply(role);
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'new' } });
  });

  it('that two of three admins have taken part in is not undone by the third, who tells of the new image', async () => {
    await admitAll();
    await apply('infrastructure');
    await back('infrastructure');
    for (const role of ['node-1', 'node-2'] as const) await back(role);
    await tell('node-3', 'upgrade-narrow', { upgrade: nameOf(upgrade), policy: 'cc'.repeat(48) });
    for (const image of ['new', 'old'] as const) {
      await retell(image);
      expect(await state()).toMatchObject({ running: VERSIONS.old, open: { direction: 'back' } });
    }
  });

  it('names the nodes that have not shown what they run before a key refuses the new image', async () => {
    await admitAll();
    kill(3);
    await back('infrastructure');
    const [planned] = await planRole(contextOf('node-1'), rollBackCeremony(vault, upgrade));
    expect(JSON.stringify(planned?.state)).toContain('node 3 has attested neither image (');
    expect(JSON.stringify(planned?.state)).not.toContain('node 2 has attested neither');
  });

  it('is closed without that node after the day, when the others refuse each other, and takes it along later', async () => {
    const seen = { code: null as string | null };
    await admitAll();
    kill(3);
    world.now = UNTIL;
    seen.code = 'PEERS_NOT_CONNECTED';
    await back('infrastructure', seeing(seen));
    for (const node of NODES) await back(`node-${node}`);
    world.deployed.length = 0;
    await back('infrastructure', seeing(seen));
    expect(world.deployed).toEqual(['1 old', '2 old']);
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old', left: [3] } });
    const described = await describeUpgrade(vault, world.exchange, world.now);
    expect(described).toMatchObject({ isUnderWay: false, left: [3] });
    seen.code = null;
    // Still away: the run says so, and what was told before stays.
    await expect(back('infrastructure')).rejects.toEqual(refused('VAULT_DEPLOY_MALFORMED'));
    revive(3, 'new');
    expect(world.running.get(3)).toBeNull();
    world.deployed.length = 0;
    expect(await back('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-restore'] });
    expect(world.deployed).toEqual(['3 old']);
    expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
    expect(await state()).toMatchObject({ closed: { image: 'old', left: [] } });
    for (const role of ROLES) expect(await back(role)).toMatchObject({ done: [], isComplete: true });
  });

  describe('that was closed without a node', () => {
    /** The first ceremony, as far as it starts nodes that run already. */
    const again = async () =>
      await applyRole(contextOf('infrastructure'), () => undefined, {
        ceremony: { steps: [infrastructureRestart(vault)], counts: () => true },
      });

    beforeEach(async () => {
      await admitAll();
      kill(3);
      world.now = UNTIL;
      const alone = seeing({ code: 'PEERS_NOT_CONNECTED' });
      await back('infrastructure', alone);
      for (const node of NODES) await back(`node-${node}`);
      await back('infrastructure', alone);
      world.deployed.length = 0;
      world.fewest = 3;
    });

    it('lets the first ceremony go on, which brings the node up with the release that runs', async () => {
      expect((await firstCeremony(vault).begin?.(contextOf('node-3')))?.size).toBe(0);
      await expect(again()).rejects.toEqual(refused('VAULT_DEPLOY_MALFORMED'));
      revive(3, 'new');
      expect(await again()).toMatchObject({ done: ['infrastructure/restart'] });
      expect(world.deployed).toEqual(['3 old']);
      expect(await state()).toMatchObject({ closed: { left: [] } });
      for (const run of [again, async () => await back('infrastructure')])
        expect(await run()).toMatchObject({ done: [], isComplete: true });
    });

    it('has it come back on another host, of which its peers are told', async () => {
      world.launched.set(3, 1);
      await applyRole(contextOf('infrastructure'), () => undefined, {
        ceremony: { steps: [infrastructureHosts(vault)], counts: () => true },
      });
      revive(3, 'new');
      expect(await again()).toMatchObject({ done: ['infrastructure/restart'] });
      expect(world.deployed).toEqual(['3 old', '1 old', '2 old']);
      expect(world.fewest).toBe(2);
      const { nodes } = await findPlaces(vault, world.exchange);
      expect(nodes.map(({ url }) => url)).toEqual(NODES.map((node) => `https://${addressOf(node)}:8443`));
      expect(await again()).toMatchObject({ done: [], isComplete: true });
    });

    it('tells of all nodes where they are, though one is not up', async () => {
      const { nodes } = await findPlaces(vault, world.exchange);
      expect(nodes).toHaveLength(3);
    });
  });

  it('does not take the new image out of a key while a node attests it, whoever else is down', async () => {
    await admitAll();
    await back('infrastructure');
    kill(2);
    world.running.set(3, 'new');
    await expect(back('node-1')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    world.running.set(3, null);
    await expect(back('node-1')).rejects.toEqual(refused('UPGRADE_UNFINISHED'));
    expect(isAdmitted(1, 'new')).toBe(true);
  });

  it('is not closed while fewer than the threshold have their configurations', async () => {
    await admitAll();
    await back('infrastructure');
    for (const node of NODES) await back(`node-${node}`);
    kill(2);
    kill(3);
    const alone = seeing({ code: 'PEERS_NOT_CONNECTED' });
    await expect(back('infrastructure', alone)).rejects.toEqual(refused('VAULT_DEPLOY_MALFORMED'));
    expect(await state()).toMatchObject({ open: { direction: 'back' } });
    revive(2, 'old');
    await back('infrastructure', alone);
    expect(await state()).toMatchObject({ closed: { left: [3] } });
  });

  it('of an upgrade that has lost a host after its canary takes no node below the threshold down', async () => {
    await admitAll();
    world.failing = (what) => (what === '1 new' ? 'ExpiredTokenException' : undefined);
    await expect(apply('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    world.failing = () => undefined;
    kill(3);
    world.deployed.length = 0;
    await expect(back('infrastructure')).rejects.toMatchObject({
      code: 'UPGRADE_QUORUM_AT_RISK',
      details: { node: 2, others: [{ node: 3 }] },
    });
    expect(world.deployed).toEqual([]);
    revive(3, 'old');
    await back('infrastructure');
    expect(world.deployed).toEqual(['2 old']);
    expect([...world.running.values()]).toEqual(['old', 'old', 'old']);
  });

  it('that was cut off may be turned into the way forward again', async () => {
    await admitAll();
    await apply('infrastructure');
    world.failing = (what) => (what === '1 old' ? 'ExpiredTokenException' : undefined);
    await expect(back('infrastructure')).rejects.toEqual(refused('AWS_CREDENTIALS_EXPIRED'));
    world.failing = () => undefined;
    expect(await apply('infrastructure')).toMatchObject({ done: ['infrastructure/upgrade-nodes'] });
    expect([...world.running.values()]).toEqual(['new', 'new', 'new']);
  });

  it('may come before the first node is touched, by whoever has named a day or not', async () => {
    await apply('node-1');
    await back('infrastructure');
    expect(world.deployed).toEqual([]);
    for (const node of NODES) await back(`node-${node}`);
    await back('infrastructure');
    expect(await state()).toMatchObject({ open: undefined, closed: { image: 'old' } });
  });
});

describe('the status of an upgrade', () => {
  const status = async () => await describeUpgrade(vault, world.exchange, world.now);

  it('says who waits for whom, and reminds of the day from three days before', async () => {
    expect(await status()).toMatchObject({ running: VERSIONS.old, upgrade: null, nodes: [] });
    await apply('node-2');
    expect(await status()).toMatchObject({
      isUnderWay: true,
      direction: 'forward',
      isOverdue: false,
      nodes: [{ until: null }, { node: 2, overlap: 'open', reminder: null, rebuilt: true }, { until: null }],
    });
    world.now = UNTIL - 2 * 86_400_000;
    const [, ending] = (await status()).nodes;
    expect(ending).toMatchObject({ overlap: 'ending' });
    expect(ending?.reminder).toContain('2 days');
    world.now = UNTIL;
    expect(await status()).toMatchObject({ isOverdue: true });
  });

  it('has nothing to remind of once all keys are narrowed', async () => {
    await admitAll();
    await apply('infrastructure');
    await applyNodes();
    world.now = UNTIL;
    expect(await status()).toMatchObject({
      running: VERSIONS.new,
      isUnderWay: false,
      isOverdue: false,
      nodes: NODES.map((node) => ({ node, overlap: 'narrowed' })),
    });
  });
});
