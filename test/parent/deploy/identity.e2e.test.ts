import { cp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StandInHost } from '../../../local/testbed/stand-in-host.ts';
import type { TestNode } from '../../../local/testbed/test-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { deployServing, type Deployed, Hosts, refusalOf } from './host-support.ts';

const STATE = 'var/lib/holdfast';

let hosts: Hosts;
let testNode: TestNode;
let host: StandInHost;
let served: Deployed['said'];
let deployment: string;
/** Copies of the node's folder: with the first start alone, and with all. */
let early: string;
let late: string;

/** Copies a host's state while nothing runs on it. */
async function copyState(from: StandInHost, to: string): Promise<void> {
  await from.crash();
  await cp(from.pathOf(STATE), to, { recursive: true });
  await from.boot();
}

/** Puts a state in the place of a host's own, as a person does who attaches another volume. */
async function putState(
  to: StandInHost,
  from: string,
  { note }: { readonly note: 'its own' | 'stays' },
): Promise<void> {
  await to.crash();
  const kept = `${to.folder}-identity.json`;
  if (note === 'stays') await cp(to.pathOf(`${STATE}/identity.json`), kept);
  await rm(to.pathOf(STATE), { recursive: true, force: true });
  await cp(from, to.pathOf(STATE), { recursive: true });
  if (note === 'stays') await cp(kept, to.pathOf(`${STATE}/identity.json`));
}

beforeAll(async () => {
  hosts = await Hosts.open(temporaryFolder());
  early = `${hosts.folder}/early`;
  late = `${hosts.folder}/late`;
  testNode = await hosts.node(1);
  host = await hosts.host(testNode);
  served = await deployServing(host, await hosts.deployment(testNode));
  await testNode.allow(hosts.image.pcrs);
  await copyState(host, early);
  // From here on without an order to start a store.
  deployment = await hosts.deployment(testNode, { configuration: hosts.configuration(testNode, 2) });
  served = await deployServing(host, deployment);
  await copyState(host, late);
});
afterAll(() => hosts.close());

describe('the identity of a store', () => {
  it('refuses the store of another node of the vault', async () => {
    const other = await hosts.node(2);
    const wrong = await hosts.host(other);
    await putState(wrong, late, { note: 'its own' });
    await wrong.boot({ startsParent: false });
    expect(await refusalOf(wrong, await hosts.deployment(other))).toBe('IDENTITY_OTHER_NODE');
  });

  it('refuses the store of another vault', async () => {
    const other = await hosts.node(1, { namespace: 'other' });
    const wrong = await hosts.host(other);
    await putState(wrong, late, { note: 'its own' });
    await wrong.boot({ startsParent: false });
    expect(await refusalOf(wrong, await hosts.deployment(other))).toBe('IDENTITY_OTHER_VAULT');
  });

  it('refuses an earlier state of the store, by the note on the host', async () => {
    await putState(host, early, { note: 'stays' });
    await host.boot({ startsParent: false });
    expect(await refusalOf(host, deployment)).toBe('IDENTITY_OLDER_EPOCH');
  });

  it('refuses an earlier state of a whole host, by the identity that the deployment names', async () => {
    await putState(host, early, { note: 'its own' });
    await host.boot({ startsParent: false });
    const { store = '', epoch = 0, log } = served.identity ?? {};
    const identity = { store, epoch, logSize: log?.size ?? 0 };
    const knowing = await hosts.deployment(testNode, {
      configuration: hosts.configuration(testNode, 2),
      identity,
    });
    expect(await refusalOf(host, knowing)).toBe('IDENTITY_OLDER_EPOCH');
    await putState(host, late, { note: 'its own' });
    await host.boot();
    expect(await deployServing(host, knowing)).toMatchObject({ identity: { store } });
    const another = await hosts.deployment(testNode, {
      configuration: hosts.configuration(testNode, 2),
      identity: { ...identity, store: 'ab'.repeat(32) },
    });
    expect(await refusalOf(host, another)).toBe('IDENTITY_OTHER_STORE');
  });

  it('refuses a store that was rolled back and went on, though it is longer by now', async () => {
    await putState(host, early, { note: 'stays' });
    // The parent is started by hand, and the enclave with it, more often than the store in use was.
    for (let start = 0; start < 4; start += 1) {
      await host.boot();
      await expect.poll(async () => await phaseOf(host), { timeout: 60_000 }).toBe('serving');
      await host.crash();
    }
    await host.boot();
    const next = await hosts.deployment(testNode, { configuration: hosts.configuration(testNode, 3) });
    expect(await refusalOf(host, next)).toBe('IDENTITY_OTHER_HISTORY');
  });

  it('starts no new store in the place of one that is gone, but by a new order', async () => {
    await host.crash();
    await rm(host.pathOf(`${STATE}/records.sqlite`));
    await host.boot({ startsParent: false });
    const lost = await hosts.deployment(testNode, { configuration: hosts.configuration(testNode, 3) });
    expect(await refusalOf(host, lost)).toBe('IDENTITY_STORE_MISSING');
    const repeated = await hosts.deployment(testNode, {
      configuration: hosts.configuration(testNode, 4, 'initialise-1'),
    });
    expect(await refusalOf(host, repeated)).toBe('IDENTITY_STORE_MISSING');
    await testNode.allow(hosts.image.pcrs, { initialise: true });
    const ordered = await hosts.deployment(testNode, {
      configuration: hosts.configuration(testNode, 5, 'initialise-2'),
    });
    const started = await deployServing(host, ordered);
    expect(started.identity).toMatchObject({ order: 'initialise-2', log: { size: 1 } });
    expect(started.identity?.store).not.toBe(served.identity?.store);
    expect(await deployServing(host, ordered)).toMatchObject({ changed: false });
  });
});

async function phaseOf(from: StandInHost): Promise<string> {
  const status = await fetch(`${from.statusUrl}/status`)
    .then(async (response) => (await response.json()) as { node: { phase: string } | null })
    .catch(() => undefined);
  return status?.node?.phase ?? 'none';
}
