import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StandInHost } from '../../../local/testbed/stand-in-host.ts';
import type { TestNode } from '../../../local/testbed/test-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { deployServing, Hosts, INSTALLED } from './host-support.ts';

let hosts: Hosts;
let testNode: TestNode;
let host: StandInHost;
/** Two deployments of different images, the one in force first. */
let sources: [string, string];

const markOf = async () =>
  /^# holdfast deployment ([0-9a-f]{64})\n/.exec(
    await readFile(host.pathOf('etc/holdfast/parent.yaml'), 'utf8'),
  )?.[1];

/** Deploys, and kills the run as soon as it says this word; tells whether it did. */
async function killAt(source: string, words: string): Promise<boolean> {
  const killer = new AbortController();
  let wasKilled = false;
  let said = '';
  await host.run(`${INSTALLED} parent deploy ${source} --json`, {
    signal: killer.signal,
    onStderr(text) {
      said += text;
      if (!said.includes(words)) return;
      wasKilled = true;
      killer.abort();
    },
  });
  return wasKilled;
}

beforeAll(async () => {
  hosts = await Hosts.open(temporaryFolder());
  testNode = await hosts.node(1);
  host = await hosts.host(testNode);
  const newImage = await hosts.otherImage();
  sources = [await hosts.deployment(testNode), await hosts.deployment(testNode, { image: newImage })];
  await deployServing(host, sources[0]);
  await testNode.allow(hosts.image.pcrs, { others: [newImage.pcrs] });
});
afterAll(() => hosts.close());

describe('a deployment that is killed', () => {
  it.each([
    'fetching the files',
    'verifying the files',
    'stopping the node',
    'taking a snapshot',
    'starting the parent',
    'waiting for the parent',
  ])(
    'while it is %s leaves one deployment or the other in force, and the next run ends it',
    async (words) => {
      const before = await markOf();
      const wasKilled = await killAt(sources[1], words);
      const between = await markOf();
      const ended = await deployServing(host, sources[1]);
      // A phase may pass too quickly to be said.
      if (words !== 'waiting for the parent') expect(wasKilled).toBe(true);
      expect([before, ended.deployment]).toContain(between);
      expect(await markOf()).toBe(ended.deployment);
      expect(await deployServing(host, sources[1])).toMatchObject({ changed: false, restarted: false });
      sources.reverse();
    },
  );
});
