import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MANIFEST_PCR, verifyAttestationDocument } from '../../../attestation/index.ts';
import type { StandInImage } from '../../../local/testbed/host/index.ts';
import type { StandInHost } from '../../../local/testbed/stand-in-host.ts';
import type { TestNode } from '../../../local/testbed/test-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Deployed, deployOn, deployServing, freshNonce, Hosts, refusalOf } from './host-support.ts';

let hosts: Hosts;
let testNode: TestNode;
let host: StandInHost;
let first: string;
let second: string;
let newImage: StandInImage;
let served: Deployed['said'];

beforeAll(async () => {
  hosts = await Hosts.open(temporaryFolder());
  testNode = await hosts.node(1, { isAdmitted: false });
  host = await hosts.host(testNode);
});
afterAll(() => hosts.close());

// One host, from its first image on: each test goes on from where the one before has left it.
describe('parent deploy', () => {
  it('shows the document of an image that KMS does not admit yet', async () => {
    const nonce = freshNonce();
    const { exit, said } = await deployOn(host, await hosts.deployment(testNode, { nonce }));
    expect(said).toMatchObject({ ok: true, phase: 'halted', code: 'KMS_ACCESS_DENIED', identity: null });
    expect(exit).toBe(0);
    const document = Buffer.from(said.attestation ?? '', 'base64');
    const verified = verifyAttestationDocument(document, {
      root: hosts.testbed.host.rootCertificate,
      pcrs: new Map([...hosts.image.pcrs, [MANIFEST_PCR, testNode.manifestPcr]]),
      nonce: Buffer.from(nonce, 'hex'),
      at: Date.now(),
    });
    expect(verified).toBeDefined();
  });

  it('brings the node into service once its key admits the image', async () => {
    await testNode.allow(hosts.image.pcrs, { initialise: true });
    first = await hosts.deployment(testNode);
    served = await deployServing(host, first);
    expect(served).toMatchObject({
      changed: true,
      attestation: null,
      url: `https://${host.address}:8443`,
      snapshot: null,
    });
    expect(served.identity).toMatchObject({
      order: 'initialise-1',
      namespace: 'demo',
      node: 1,
      log: { size: 1 },
    });
  });

  it('leaves the node alone when it is called again', async () => {
    const pid = host.parentPid;
    const again = await deployServing(host, first);
    expect(again).toMatchObject({ changed: false, restarted: false, deployment: served.deployment });
    expect(host.parentPid).toBe(pid);
  });

  it('starts the parent again where somebody has stopped it', async () => {
    await host.crash();
    await host.boot();
    expect(await deployServing(host, first)).toMatchObject({ phase: 'serving' });
  });

  it('takes a snapshot before another image comes, and keeps the store', async () => {
    newImage = await hosts.otherImage();
    await testNode.allow(newImage.pcrs, { others: [hosts.image.pcrs] });
    second = await hosts.deployment(testNode, { image: newImage });
    const upgraded = await deployServing(host, second);
    expect(upgraded.previous).toBe(served.deployment);
    expect(upgraded.identity?.store).toBe(served.identity?.store);
    expect(upgraded.identity?.epoch).toBeGreaterThan(served.identity?.epoch ?? 0);
    expect(await readdir(host.pathOf('var/lib/holdfast-deploy/snapshots'))).toHaveLength(1);
    const { stdout } = await host.run('/opt/holdfast/bin/holdfast parent snapshots --json');
    expect(JSON.parse(stdout)).toMatchObject({
      snapshots: [{ path: upgraded.snapshot, store: served.identity?.store.slice(0, 16) }],
    });
  });

  it('goes back to the former image', async () => {
    const back = await deployServing(host, '--previous');
    expect(back).toMatchObject({ changed: true, deployment: served.deployment });
    expect(await deployServing(host, second)).toMatchObject({ changed: true });
  });

  it('goes back to no configuration that is older than the store knows, and says so before anything is stopped', async () => {
    const newest = await hosts.deployment(testNode, {
      image: newImage,
      configuration: hosts.configuration(testNode, 2),
    });
    const said = await deployServing(host, newest);
    const pid = host.parentPid;
    expect(await refusalOf(host, '--previous')).toBe('DEPLOYMENT_CONFIGURATION_OLDER');
    expect(host.parentPid).toBe(pid);
    expect(await deployServing(host, newest)).toMatchObject({ changed: false, deployment: said.deployment });
  });

  it('refuses an image that reads no store as new as this one', async () => {
    const older = await hosts.deployment(testNode, {
      configuration: hosts.configuration(testNode, 2),
      storeFormat: 2,
    });
    expect(await refusalOf(host, older)).toBe('DEPLOYMENT_STORE_NEWER');
  });
});
