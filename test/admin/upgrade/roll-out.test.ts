import { describe, expect, it } from 'vitest';
import {
  type ImageName,
  rollBack,
  rollOut,
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
    const { deployed, ports, journal } = makeQuorum(['new', 'old', null]);
    await expect(rollOut(planOf(-1, -1, -1), ports, journal)).rejects.toEqual(
      refused('UPGRADE_QUORUM_AT_RISK'),
    );
    expect(deployed).toEqual([]);
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

describe('a roll back', () => {
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
