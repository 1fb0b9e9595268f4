import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StandInHost } from '../../../local/testbed/stand-in-host.ts';
import type { TestNode } from '../../../local/testbed/test-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { deployOn, Hosts } from './host-support.ts';

let hosts: Hosts;
let testNode: TestNode;
let host: StandInHost;

beforeAll(async () => {
  hosts = await Hosts.open(temporaryFolder());
  testNode = await hosts.node(1);
  host = await hosts.host(testNode);
});
afterAll(() => hosts.close());

describe('parent deploy', () => {
  it('brings an image into service on an empty host', async () => {
    const { exit, said, stderr } = await deployOn(host, await hosts.deployment(testNode));
    if (exit !== 0) process.stderr.write(JSON.stringify({ said, stderr }, null, 1));
    expect({ exit, said, stderr }).toMatchObject({
      exit: 0,
      said: { ok: true, phase: 'serving', changed: true },
    });
  });
});
