import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayNodes, silentGatewayLog } from '../../../client/gateway/index.ts';
import { NitroRoot } from '../../../local/nsm/index.ts';
import { backend, type FakeNode, type NodeBehaviour, startFakeNode, trust } from '../fake-node.ts';

const running: { close(): unknown }[] = [];

async function startNode(behaviour: NodeBehaviour = {}): Promise<FakeNode> {
  const node = await startFakeNode({
    ...behaviour,
    serve: (target) => (target === '/v1/health' ? { status: 'serving' } : { keys: [] }),
  });
  running.push(node);
  return node;
}

function connect(
  urls: readonly string[],
  change: Partial<ConstructorParameters<typeof GatewayNodes>[0]> = {},
) {
  const nodes = new GatewayNodes({
    nodes: urls.map((url) => ({ url, trust: trust() })),
    clients: [{ id: 'backend', privateKey: backend.privateKey }],
    log: silentGatewayLog,
    timeoutMs: 30_000,
    readyMs: 10_000,
    ...change,
  });
  running.push(nodes);
  return nodes;
}

/** A port on which nobody listens. */
async function findClosedUrl(): Promise<string> {
  const node = await startFakeNode();
  await node.close();
  return node.url;
}

afterEach(async () => {
  for (const each of running.splice(0)) await each.close();
});

describe('the nodes of a door', () => {
  it('are not ready before one has answered, and are then', async () => {
    const node = await startNode();
    const nodes = connect([node.url]);
    expect(nodes.readiness).toMatchObject({ isReady: false, code: 'STARTING' });
    await nodes.check();
    expect(nodes.readiness).toEqual({
      isReady: true,
      code: null,
      nodes: [{ url: node.url, code: undefined }],
    });
  });

  it('are not ready where none answers, and become so once one does', async () => {
    const url = await findClosedUrl();
    const nodes = connect([url]);
    nodes.start();
    await expect.poll(() => nodes.readiness.code).toBe('NODE_UNREACHABLE');
    await startNode({ port: Number(new URL(url).port) });
    await expect.poll(() => nodes.readiness.isReady).toBe(true);
  });

  it('are not ready where the node is not the one that is believed, and send it nothing signed', async () => {
    const node = await startNode({ root: await NitroRoot.create(Date.now()) });
    const nodes = connect([node.url]);
    await nodes.check();
    expect(nodes.readiness).toMatchObject({ isReady: false, code: 'ROOT_MISMATCH' });
    expect(new Set(node.requests)).toEqual(new Set(['POST /v1/attestation']));
  });

  it('are not ready where the node does not know the key of a client', async () => {
    const node = await startNode();
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const events: unknown[] = [];
    const nodes = connect([node.url], {
      clients: [
        { id: 'backend', privateKey: backend.privateKey },
        { id: 'stranger', privateKey: stranger },
      ],
      log: { ...silentGatewayLog, event: (_, name, fields) => events.push([name, fields]) },
    });
    await nodes.check();
    expect(nodes.readiness).toMatchObject({ isReady: false, code: 'CLIENT_UNKNOWN' });
    expect(events).toContainEqual(['door.not-ready', { code: 'CLIENT_UNKNOWN', client: 'stranger' }]);
  });

  it('are ready by the second where the first is dead, and name both', async () => {
    const dead = await findClosedUrl();
    const node = await startNode();
    const nodes = connect([dead, node.url]);
    await nodes.check();
    expect(nodes.readiness).toMatchObject({
      isReady: true,
      nodes: [
        { url: dead, code: 'NODE_UNREACHABLE' },
        { url: node.url, code: undefined },
      ],
    });
    expect(await nodes.client('backend').keys()).toEqual([]);
    expect(nodes.members('backend')).toHaveLength(2);
  });

  it('are no longer ready when the last answer is old, or the door stops', async () => {
    let now = Date.now();
    const node = await startNode();
    const nodes = connect([node.url], { clock: () => now });
    await nodes.check();
    now += 10_001;
    expect(nodes.readiness).toMatchObject({ isReady: false, code: 'STALE' });
    nodes.stop();
    expect(nodes.readiness).toMatchObject({ isReady: false, code: 'STOPPING' });
  });
});
