import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasExpired } from '../../enclave/node/configuration.ts';
import { askSession, sendRaw } from '../../local/attacks/raw-request.ts';
import { makeRequest } from '../../local/attacks/request-attacks.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  await scenario.assertServes();
});

afterAll(async () => {
  await scenario.close();
});

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

/** Starts a node that signs under a configuration which ends soon: later on a machine that takes longer for a start. */
async function startBeforeEnd() {
  let found = '';
  for (const [index, seconds] of [8, 16, 32, 64].entries()) {
    await scenario.testNode.configure({ ...scenario.configuration(3 + index), notAfter: inSeconds(seconds) });
    const node = await scenario.start();
    try {
      expect([null, 'CONFIGURATION_EXPIRED']).toContain(node.code);
      if (node.code === null) {
        const serving = { testNode: scenario.testNode, url: node.url, session: await askSession(node.url) };
        const ask = () => sendRaw(node.url, makeRequest(serving));
        const { status, body } = await ask();
        if (status === 200) return { node, ask };
        expect(body).toMatchObject({ error: 'CONFIGURATION_EXPIRED' });
        found = JSON.stringify(body);
      }
    } catch (error) {
      await node.stop();
      throw error;
    }
    await node.stop();
  }
  throw new Error(`expected a node that signs before its configuration is over, found ${found}`);
}

describe('a configuration with an end', () => {
  it('is over after its last millisecond, and when its end cannot be read', () => {
    const notAfter = '2026-01-01T00:00:00Z';
    const end = Date.parse(notAfter);
    expect(hasExpired({ notAfter }, end)).toBe(false);
    expect(hasExpired({ notAfter }, end + 1)).toBe(true);
    expect(hasExpired({ notAfter: 'some day' }, end)).toBe(true);
    expect(hasExpired({ notAfter }, Number.NaN)).toBe(true);
    expect(hasExpired({}, end)).toBe(false);
  });

  it('starts no node once it is over', async () => {
    await scenario.testNode.configure({ ...scenario.configuration(2), notAfter: inSeconds(-1) });
    expect(await scenario.attempt()).toBe('CONFIGURATION_EXPIRED');
    await scenario.testNode.configure({ ...scenario.configuration(2), notAfter: inSeconds(600) });
    expect(await scenario.attempt()).toBe('SERVING');
  });

  it('allows nothing more in a node that runs on', async () => {
    const { node, ask } = await startBeforeEnd();
    try {
      await expect
        .poll(ask, { timeout: 120_000, interval: 500 })
        .toMatchObject({ status: 403, body: { error: 'CONFIGURATION_EXPIRED' } });
      await sleep(1_000);
      expect((await ask()).status).toBe(403);
    } finally {
      await node.stop();
    }
  });
});
