import { describe, expect, it } from 'vitest';
import {
  type ImageName,
  rollBack,
  rollOut,
  type RollOutEvent,
  type RollOutPlan,
  type UpgradeJournal,
  type UpgradePorts,
  type UpgradeStop,
} from '../../../admin/upgrade/index.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-01T00:00:00Z');

/** Quorum of three nodes that do as they are told, but for those that stay down. */
function makeQuorum(images: readonly (ImageName | null)[], broken: readonly number[] = []) {
  const running = new Map(images.map((image, index) => [index + 1, image]));
  const deployed: string[] = [];
  const memory: { stop: UpgradeStop | null } = { stop: null };
  const ports: UpgradePorts = {
    look: () =>
      Promise.resolve(
        [...running].map(([node, image]) => ({ node, image, canSign: image !== null, code: null })),
      ),
    deploy(node, image) {
      deployed.push(`${node} ${image}`);
      running.set(node, broken.includes(node) ? null : image);
      return Promise.resolve(broken.includes(node) ? 'VAULT_DEPLOY_FAILED' : null);
    },
    sign: () => Promise.resolve(null),
    clock: () => NOW,
  };
  const journal: UpgradeJournal = {
    stopped: () => memory.stop,
    setStopped: (stop) => Promise.resolve(void (memory.stop = stop)),
  };
  return { running, deployed, memory, ports, journal };
}

/** Plan of two in three whose days are so many milliseconds away, node by node. */
const planOf = (...days: readonly number[]): RollOutPlan => ({
  threshold: 2,
  order: [1, 2, 3],
  until: (node) => NOW + (days[node - 1] ?? 0),
  isGated: () => true,
});
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('a roll-out', () => {
  it.each([
    ['of that node is over', [-1, -1, -1]],
    ['of another node is over', [-1, 5 * HOUR, 5 * HOUR]],
  ])('goes on to a healthy node though the day %s', async (_what, days) => {
    const { deployed, ports, journal } = makeQuorum(['new', 'old', 'old']);
    await rollOut(planOf(...days), ports, journal);
    expect(deployed).toEqual(['2 new', '3 new']);
  });

  it('takes no healthy node down after its day where the others are fewer than the threshold', async () => {
    const { deployed, ports, journal } = makeQuorum(['new', 'old', null], [3]);
    await expect(rollOut(planOf(-1, -1, -1), ports, journal)).rejects.toEqual(
      refused('UPGRADE_NODE_NOT_SERVING'),
    );
    await journal.setStopped(null);
    await expect(rollOut(planOf(-1, -1, -1), ports, journal)).rejects.toEqual(
      refused('UPGRADE_NODE_NOT_SERVING'),
    );
    expect(deployed).toEqual(['3 new', '3 new']);
  });

  it.each([
    ['is over', -1],
    ['is near', HOUR - 1],
  ])('does not begin with a canary whose day %s', async (_what, day) => {
    const { deployed, ports, journal } = makeQuorum(['old', 'old', 'old']);
    await expect(rollOut(planOf(day, 5 * HOUR, 5 * HOUR), ports, journal)).rejects.toEqual(
      refused('UPGRADE_OVERLAP_EXPIRED'),
    );
    expect(deployed).toEqual([]);
  });
});

describe('a roll-out past a node that cannot sign', () => {
  it('brings that node back first once the canary has shown that the image serves', async () => {
    const { deployed, ports, journal } = makeQuorum(['new', 'old', null]);
    await rollOut(planOf(HOUR * 5, HOUR * 5, HOUR * 5), ports, journal);
    expect(deployed).toEqual(['3 new', '2 new']);
  });

  it('takes no other node down where it stays down, and stops there', async () => {
    const { deployed, memory, ports, journal } = makeQuorum(['new', 'old', null], [3]);
    await expect(rollOut(planOf(HOUR * 5, HOUR * 5, HOUR * 5), ports, journal)).rejects.toEqual(
      refused('UPGRADE_NODE_NOT_SERVING'),
    );
    expect(deployed).toEqual(['3 new']);
    expect(memory.stop).toMatchObject({ node: 3, code: 'VAULT_DEPLOY_FAILED' });
  });

  it('begins with the canary all the same, for which the others are brought up as they were', async () => {
    const { deployed, ports, journal } = makeQuorum(['old', 'old', null]);
    await rollOut(planOf(HOUR * 5, HOUR * 5, HOUR * 5), ports, journal);
    expect(deployed).toEqual(['3 old', '1 new', '2 new', '3 new']);
  });

  it('touches no canary without which the others are too few', async () => {
    const { deployed, memory, ports, journal } = makeQuorum(['old', 'old', null], [3]);
    await expect(rollOut(planOf(HOUR * 5, HOUR * 5, HOUR * 5), ports, journal)).rejects.toEqual(
      refused('UPGRADE_QUORUM_AT_RISK'),
    );
    expect(deployed).toEqual(['3 old']);
    expect(memory.stop).toBeNull();
  });
});

describe('a roll back', () => {
  it('goes on past a node that stays down, and reports it', async () => {
    const { deployed, memory, ports, journal } = makeQuorum(['old', 'old', null], [3]);
    const events: RollOutEvent[] = [];
    await rollBack(planOf(HOUR, HOUR, HOUR), ports, journal, (event) => events.push(event));
    expect(deployed).toEqual(['3 old']);
    expect(events.at(-1)).toEqual({ event: 'node-left', node: 3, image: 'old', code: 'VAULT_DEPLOY_FAILED' });
    expect(memory.stop).toBeNull();
  });

  it('goes on past it though the others do not run the old image yet', async () => {
    const { deployed, running, ports, journal } = makeQuorum(['new', 'new', 'old', 'old', null], [5]);
    const plan = { ...planOf(HOUR, HOUR, HOUR, HOUR, HOUR), threshold: 3, order: [1, 2, 3, 4, 5] };
    await rollBack(plan, ports, journal);
    expect(deployed).toEqual(['5 old', '2 old', '1 old']);
    expect([...running.values()]).toEqual(['old', 'old', 'old', 'old', null]);
  });

  it('takes no node below the threshold down for that, and says for which node it waits', async () => {
    const { deployed, memory, ports, journal } = makeQuorum(['old', 'new', null], [3]);
    await expect(rollBack(planOf(HOUR, HOUR, HOUR), ports, journal)).rejects.toMatchObject({
      code: 'UPGRADE_QUORUM_AT_RISK',
      details: { node: 2, able: [1], others: [{ node: 3 }] },
    });
    expect(deployed).toEqual(['3 old']);
    expect(memory.stop).toBeNull();
  });

  it('brings other nodes that are down back before it says that too few are left', async () => {
    const back = makeQuorum(['old', null, null], [3]);
    await rollBack(planOf(HOUR, HOUR, HOUR), back.ports, back.journal);
    expect(back.deployed).toEqual(['3 old', '2 old']);
    expect(back.memory.stop).toBeNull();
    const lost = makeQuorum(['old', null, null], [2, 3]);
    await expect(rollBack(planOf(HOUR, HOUR, HOUR), lost.ports, lost.journal)).rejects.toMatchObject({
      code: 'UPGRADE_NODE_NOT_SERVING',
      details: { node: 3 },
    });
    expect(lost.deployed).toEqual(['3 old', '2 old']);
    expect(lost.memory.stop).toMatchObject({ node: 3, code: 'VAULT_DEPLOY_FAILED' });
  });

  it('brings a quorum back of which every node is down, where none of the first can sign yet', async () => {
    const { deployed, running, ports, journal } = makeQuorum([null, null, null], [3]);
    const up = () => [...running.values()].filter((image) => image !== null).length;
    const sign = () => Promise.resolve(up() < 2 ? 'QUORUM_UNREACHABLE' : null);
    await rollBack(planOf(HOUR, HOUR, HOUR), { ...ports, sign }, journal);
    expect(deployed).toEqual(['3 old', '2 old', '1 old']);
  });

  it('stops at a node that was up, and does not come back', async () => {
    const { deployed, memory, ports, journal } = makeQuorum(['old', 'old', 'new'], [3]);
    await expect(rollBack(planOf(HOUR, HOUR, HOUR), ports, journal)).rejects.toEqual(
      refused('UPGRADE_NODE_NOT_SERVING'),
    );
    expect(deployed).toEqual(['3 old']);
    expect(memory.stop).toMatchObject({ node: 3, code: 'VAULT_DEPLOY_FAILED' });
  });

  it('has nothing to put back after the day where enough nodes run the old image, and none the new one', async () => {
    const { deployed, ports, journal } = makeQuorum(['old', 'old', null], [3]);
    await rollBack(planOf(-1, -1, -1), ports, journal);
    expect(deployed).toEqual([]);
  });

  it('tries a node that is down after its day where no gate has taken the admission of the old image away', async () => {
    const { deployed, ports, journal } = makeQuorum(['old', null, null]);
    await rollBack({ ...planOf(-1, -1, -1), isGated: () => false }, ports, journal);
    expect(deployed).toEqual(['3 old', '2 old']);
  });

  it('takes no node that serves the new image after its day, whatever is known of gates', async () => {
    const { deployed, ports, journal } = makeQuorum(['old', 'old', 'new']);
    await expect(rollBack({ ...planOf(-1, -1, -1), isGated: () => false }, ports, journal)).rejects.toEqual(
      refused('UPGRADE_OVERLAP_EXPIRED'),
    );
    expect(deployed).toEqual([]);
  });

  it('puts a node back within its own day, and not after it', async () => {
    const open = makeQuorum(['old', 'new', 'old']);
    await rollBack(planOf(-1, 1, -1), open.ports, open.journal);
    expect(open.deployed).toEqual(['2 old']);
    const over = makeQuorum(['old', 'new', 'old']);
    await expect(rollBack(planOf(1, -1, 1), over.ports, over.journal)).rejects.toEqual(
      refused('UPGRADE_OVERLAP_EXPIRED'),
    );
    expect(over.deployed).toEqual([]);
  });
});
