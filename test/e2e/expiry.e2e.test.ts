import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasExpired } from '../../enclave/node/configuration.ts';
import { askSession, sendRaw } from '../../local/demo/raw-request.ts';
import { makeRequest } from '../../local/demo/request-refusals.ts';
import { Stage } from '../../local/demo/stage.ts';

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-expiry-'));
  stage = await Stage.open(directory);
  await stage.assertServes();
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true, force: true });
});

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

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
    await stage.site.configure({ ...stage.configuration(2), notAfter: inSeconds(-1) });
    expect(await stage.attempt()).toBe('CONFIGURATION_EXPIRED');
    await stage.site.configure({ ...stage.configuration(2), notAfter: inSeconds(600) });
    expect(await stage.attempt()).toBe('SERVING');
  });

  it('allows nothing more in a node that runs on', async () => {
    await stage.site.configure({ ...stage.configuration(3), notAfter: inSeconds(8) });
    const node = await stage.start();
    try {
      expect(node.code).toBeNull();
      const serving = { site: stage.site, url: node.url, session: await askSession(node.url) };
      const ask = () => sendRaw(node.url, makeRequest(serving));
      expect((await ask()).status).toBe(200);
      await expect
        .poll(ask, { timeout: 60_000, interval: 500 })
        .toEqual({ status: 403, body: { error: 'CONFIGURATION_EXPIRED' } });
      await sleep(1_000);
      expect((await ask()).status).toBe(403);
    } finally {
      await node.stop();
    }
  });
});
