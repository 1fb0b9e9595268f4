import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ofOneNode, type PlayedRole, type VaultTestbed } from '../../../local/testbed/vault/index.ts';
import { type KillPlan, KILLED, PLAN, untold, within } from './support/kill-at.ts';
import { KILLABLE, openTestbed } from './support/open-testbed.ts';

const ROLES = ['infrastructure', 'node-1'] as const satisfies readonly PlayedRole[];
/** Steps in which something outside goes on, and the milliseconds after which a run is cut off in them. */
const LONG: Readonly<Record<string, number>> = {
  'infrastructure/baseline': 0,
  'node-1/kms-stack': 600,
  'infrastructure/hosts': 150,
  'infrastructure/attestations': 600,
  'infrastructure/start': 0,
  'infrastructure/restart': 600,
};
/** More runs than any ceremony needs: one that does not get on fails here. */
const MAX_RUNS = 120;

let testbed: VaultTestbed;
beforeAll(async () => {
  testbed = await openTestbed({ change: ofOneNode, holdfast: KILLABLE });
  for (const role of ROLES) await testbed.person(role).run('vault', 'fetch', '--vault', 'vault.yaml');
});
afterAll(async () => {
  await testbed.close();
});

/** Places in which a run has ended by its signal: in the step, and when all of it was done and nothing told. */
const kills = new Set<string>();

/** Runs `vault apply` of a role, which ends in the first place of a step in which no run has ended before. */
async function applyAndKill(
  role: PlayedRole,
): Promise<{ readonly isKilled: boolean; readonly isComplete: boolean }> {
  const { folder } = testbed.person(role);
  const plan: KillPlan = { done: [...kills], delays: LONG };
  await writeFile(join(folder, PLAN), JSON.stringify(plan));
  const { exit, said, stderr } = await testbed.apply(role);
  await rm(join(folder, PLAN));
  if (exit === null) {
    const place = JSON.parse(await readFile(join(folder, KILLED), 'utf8')) as string;
    expect(kills).not.toContain(place);
    kills.add(place);
    return { isKilled: true, isComplete: false };
  }
  expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${testbed.log()}`).toBe(0);
  return { isKilled: false, isComplete: said['isComplete'] === true };
}

describe('a ceremony whose runs are killed', { timeout: 1_800_000 }, () => {
  it('goes on after kill -9 in each step, and does nothing twice', async () => {
    const complete = new Set<PlayedRole>();
    for (let run = 0; complete.size < ROLES.length; run += 1) {
      expect(run, `after ${[...kills.keys()].join(', ')}`).toBeLessThan(MAX_RUNS);
      const role = ROLES[run % ROLES.length] ?? 'node-1';
      let outcome = await applyAndKill(role);
      while (outcome.isKilled) outcome = await applyAndKill(role);
      if (outcome.isComplete) complete.add(role);
    }
    const status = await testbed.person('node-1').run('vault', 'status');
    const { steps, isComplete } = status.said as unknown as {
      steps: readonly { step: string; sequence: number }[];
      isComplete: boolean;
    };
    expect(isComplete).toBe(true);
    expect(steps.filter(({ sequence }) => sequence !== 1)).toEqual([]);
    const places = steps.flatMap(({ step }) => [within(step), untold(step)]);
    expect([...kills].toSorted()).toEqual(places.toSorted());
    expect(Object.keys(LONG).filter((step) => !kills.has(within(step)))).toEqual([]);
    expect(testbed.hosts.size).toBe(1);
    // Each resource of a key was made once, whatever was killed.
    expect(await testbed.countCreated('node-1', 'acme-production-node-1', 'AWS::KMS::Key')).toBe(2);
    expect(await testbed.countCreated('infrastructure', 'acme-production-host-1', 'AWS::EC2::Instance')).toBe(
      1,
    );
  });

  it('has nothing left to do then', async () => {
    for (const role of ROLES)
      expect(await testbed.apply(role)).toMatchObject({ exit: 0, said: { done: [], isComplete: true } });
  });
});
