import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ofOneNode, type PlayedRole, type VaultTestbed } from '../../../local/testbed/vault/index.ts';
import { openTestbed } from './support/open-testbed.ts';

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
  testbed = await openTestbed({ change: ofOneNode });
  for (const role of ROLES) await testbed.person(role).run('vault', 'fetch', '--vault', 'vault.yaml');
});
afterAll(async () => {
  await testbed.close();
});

/** Kills that were done, by step: one after the step has begun, and one when it has just been told. */
const kills = new Map<string, number>();

/** Runs `vault apply` of a role, and kills it in a step in which no run was killed at this place before. */
async function applyAndKill(
  role: PlayedRole,
): Promise<{ readonly isKilled: boolean; readonly isComplete: boolean }> {
  const { child, ended } = testbed.person(role).start(...testbed.argumentsOf('apply', role));
  let isKilled = false;
  const kill = (place: string, delay: number) => {
    if (isKilled || kills.has(place)) return;
    isKilled = true;
    kills.set(place, delay);
    setTimeout(() => child.kill('SIGKILL'), delay);
  };
  child.stderr?.on('data', (text: string) => {
    for (const [, step = ''] of text.matchAll(/^begins (\S+)$/gm)) kill(`${step} begun`, LONG[step] ?? 0);
    for (const [, step = ''] of text.matchAll(/^(\S+) is done/gm)) kill(`${step} told`, 0);
  });
  const { exit, said, stderr } = await ended;
  if (exit === null) return { isKilled: true, isComplete: false };
  expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${testbed.log()}`).toBe(0);
  return { isKilled, isComplete: said['isComplete'] === true };
}

describe('a ceremony whose runs are killed', { timeout: 600_000 }, () => {
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
    for (const step of Object.keys(LONG)) expect(kills.has(`${step} begun`), `killed in ${step}`).toBe(true);
    // A short step may come to its end before the signal arrives, and another begin that counts as not killed.
    expect(kills.size).toBeGreaterThanOrEqual(steps.length);
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
