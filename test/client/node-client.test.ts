import { createServer, request as ask } from 'node:https';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { AttestationError } from '../../attestation/index.ts';
import {
  ClientError,
  connectNode,
  dealShares,
  type NodeClient,
  type NodeClientOptions,
  NodeRefusal,
  sealShare,
} from '../../client/index.ts';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { NitroRoot } from '../../local/nsm/index.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { backend, type FakeNode, type NodeBehaviour, PCRS, startFakeNode, trust } from './fake-node.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(behaviour: NodeBehaviour = {}): Promise<FakeNode> {
  const node = await startFakeNode(behaviour);
  cleanups.push(() => node.close());
  return node;
}

async function connect(
  node: Pick<FakeNode, 'url'>,
  change: Partial<NodeClientOptions> = {},
): Promise<NodeClient> {
  const client = await connectNode({
    url: node.url,
    trust: trust(),
    clientId: 'backend',
    privateKey: backend.privateKey,
    ...change,
  });
  cleanups.push(() => client.close());
  return client;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    return (error as HoldfastError).code;
  }
  return 'none';
}

describe('connecting', () => {
  it('takes a node whose image, manifest and TLS key its document proves', async () => {
    const node = await start();
    const client = await connect(node);
    expect(await client.keys()).toEqual([]);
    const { binding, document } = await client.attest();
    expect(binding).toMatchObject({ session: node.session, configuration: 1 });
    expect(document.debug).toBe(false);
  });

  it('takes any of several images', async () => {
    const other = new Map([...PCRS, [0, new Uint8Array(48).fill(9)]]);
    const client = await connect(await start(), { trust: trust({ pcrs: [other, PCRS] }) });
    expect((await client.attest()).document.matched).toBe(1);
  });

  it('refuses another root, image, manifest or a debug enclave', async () => {
    const zeros = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48)]));
    const attempt = async (behaviour: NodeBehaviour) => {
      const failure = connect(await start(behaviour));
      await expect(failure).rejects.toBeInstanceOf(AttestationError);
      return await codeOf(failure);
    };
    expect(await attempt({ root: await NitroRoot.create(Date.now()) })).toBe('ROOT_MISMATCH');
    expect(await attempt({ pcrs: new Map([...PCRS, [0, new Uint8Array(48).fill(9)]]) })).toBe('PCR_MISMATCH');
    expect(await attempt({ manifest: Buffer.from('{"node":2}') })).toBe('PCR_MISMATCH');
    expect(await attempt({ pcrs: zeros })).toBe('DEBUG_ENCLAVE');
  });

  it('refuses a document that was made for another question or another time', async () => {
    const replayed = await start({ attested: () => ({ nonce: new Uint8Array(32) }) });
    expect(await codeOf(connect(replayed))).toBe('NONCE_MISMATCH');
    const node = await start();
    const late = Date.now() + 10 * 60_000;
    expect(await codeOf(connect(node, { clock: () => late }))).toBe('DOCUMENT_TOO_OLD');
  });

  it('refuses a genuine document on a connection that somebody else ends', async () => {
    const node = await start();
    const middle = await createTlsIdentity('node.test', Date.now());
    const proxy = createServer({ cert: middle.certificate, key: middle.privateKey }, (request, response) => {
      const upstream = ask(`${node.url}${request.url}`, { method: 'POST', rejectUnauthorized: false });
      upstream.once('response', (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      request.pipe(upstream);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    cleanups.push(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const { port } = proxy.address() as AddressInfo;
    const failure = connect({ url: `https://127.0.0.1:${port}` });
    await expect(failure).rejects.toBeInstanceOf(ClientError);
    expect(await codeOf(failure)).toBe('TLS_KEY_MISMATCH');
    expect(node.requests).toEqual(['POST /v1/attestation']);
  });

  it.each([
    ['no user_data', ''],
    ['another format', '{"format":"other"}'],
    [
      'a field too many',
      JSON.stringify({
        format: 'holdfast-node/1',
        session: 'ab'.repeat(16),
        configuration: 1,
        importKey: 'ab'.repeat(32),
        more: 1,
      }),
    ],
    ['a field twice', '{"format":"holdfast-node/1","format":"holdfast-node/1"}'],
  ])('refuses a document of a genuine image that binds %s', async (_name, userData) => {
    const node = await start({ attested: () => ({ userData: Buffer.from(userData) }) });
    expect(await codeOf(connect(node))).toBe('BINDING_MALFORMED');
  });

  it('refuses a genuine document that vouches for no key', async () => {
    const node = await start({ attested: () => ({ publicKey: undefined }) });
    expect(await codeOf(connect(node))).toBe('TLS_KEY_MISMATCH');
  });

  it('refuses urls that are not an origin, and PCRs that contradict the manifest', async () => {
    for (const url of [
      'http://127.0.0.1:1',
      'https://127.0.0.1:1/v1',
      'https://user@127.0.0.1:1',
      'nonsense',
    ]) {
      await expect(connect({ url })).rejects.toBeInstanceOf(TypeError);
    }
    const pcrs = new Map([...PCRS, [16, new Uint8Array(48).fill(7)]]);
    await expect(connect(await start(), { trust: trust({ pcrs }) })).rejects.toBeInstanceOf(RangeError);
  });

  it('takes no trust that leaves the image open', async () => {
    const node = await start();
    const attempts = [
      new Map(),
      [],
      new Map([[8, new Uint8Array(48).fill(1)]]),
      [PCRS, new Map([[0, PCRS.get(0)]])],
    ];
    for (const pcrs of attempts as NodeClientOptions['trust']['pcrs'][]) {
      await expect(connect(node, { trust: trust({ pcrs }) })).rejects.toSatisfy(
        (error) => error instanceof RangeError || error instanceof TypeError,
      );
    }
  });

  it('says when nobody is there', async () => {
    const node = await start();
    await node.close();
    cleanups.splice(0);
    expect(await codeOf(connect(node))).toBe('NODE_UNREACHABLE');
  });
});

describe('a connected client', () => {
  it('hands on the code of a refusal and its status', async () => {
    const client = await connect(await start(), { clientId: 'stranger' });
    const refusal = client.keys();
    await expect(refusal).rejects.toBeInstanceOf(NodeRefusal);
    await expect(refusal).rejects.toMatchObject({ code: 'CLIENT_UNKNOWN', details: { status: 401 } });
  });

  it('keeps its connections', async () => {
    const node = await start();
    const client = await connect(node);
    for (let i = 0; i < 5; i += 1) await client.keys();
    expect(node.connections).toBe(2);
  });

  it('opens no more connections than it may', async () => {
    const node = await start();
    const client = await connect(node, { maxConnections: 3 });
    await Promise.all(Array.from({ length: 20 }, () => client.keys()));
    expect(node.connections).toBe(4);
  });

  it('sends nothing to another TLS key, and attests a node that has restarted before it goes on', async () => {
    const first = await start();
    const client = await connect(first);
    await client.keys();
    await first.close();
    const second = await start({ port: first.port });
    expect(await client.keys()).toEqual([]);
    expect(second.requests).toEqual(['POST /v1/attestation', 'GET /v1/keys']);
    expect((await client.attest()).binding.session).toBe(second.session);
  });

  it('sends nothing more to a node that came back as another image', async () => {
    const first = await start();
    const client = await connect(first);
    await first.close();
    const pcrs = new Map([...PCRS, [0, new Uint8Array(48).fill(9)]]);
    const second = await start({ port: first.port, pcrs });
    expect(await codeOf(client.keys())).toBe('PCR_MISMATCH');
    expect(await codeOf(client.keys())).toBe('PCR_MISMATCH');
    expect(second.requests).toEqual(['POST /v1/attestation', 'POST /v1/attestation']);
  });

  it('attests once for many requests that meet a restarted node together', async () => {
    const first = await start();
    const client = await connect(first);
    await first.close();
    const second = await start({ port: first.port });
    await Promise.all(Array.from({ length: 10 }, () => client.keys()));
    expect(second.requests.filter((line) => line === 'POST /v1/attestation')).toHaveLength(1);
    expect(second.requests.filter((line) => line === 'GET /v1/keys')).toHaveLength(10);
  });

  it('attests again once where the node wants another session, and then gives up', async () => {
    const node = await start({ session: 'ff'.repeat(16) });
    const client = await connect(node);
    expect(await codeOf(client.keys())).toBe('SESSION_MISMATCH');
    expect(node.requests).toEqual([
      'POST /v1/attestation',
      'GET /v1/keys',
      'POST /v1/attestation',
      'GET /v1/keys',
    ]);
  });

  it('repeats the same signed request when a connection broke, and says so when the node had taken it', async () => {
    let drops = 1;
    const isDropped = (url: string | undefined) => url === '/v1/keys' && drops-- > 0;
    const node = await start({
      answer: (request) => {
        if (!isDropped(request.url)) return undefined;
        request.socket.destroy();
        return true;
      },
    });
    const client = await connect(node);
    // The node had not looked at it: the second one is the first that it takes.
    expect(await client.keys()).toEqual([]);

    let cuts = 1;
    const taken = await start({
      answer: (request, response) => {
        if (request.url !== '/v1/keys' || cuts-- <= 0) return undefined;
        // Lets the node take it, and cuts its answer off.
        response.end = () => {
          request.socket.destroy();
          return response;
        };
        return undefined;
      },
    });
    const unlucky = await connect(taken);
    expect(await codeOf(unlucky.keys())).toBe('ANSWER_LOST');
    expect(taken.requests.filter((line) => line === 'GET /v1/keys')).toHaveLength(2);
  });

  it('does not wait for ever', async () => {
    const node = await start({ answer: (request) => (request.url === '/v1/keys' ? true : undefined) });
    const attempt = () => connect(node, { timeoutMs: 200 }).catch(() => undefined);
    // A busy machine may take longer than that for the attestation alone.
    let client = await attempt();
    while (client === undefined) client = await attempt();
    expect(await codeOf(client.keys())).toBe('ANSWER_TIMEOUT');
  });

  it.each([
    ['text', 200, 'hello'],
    ['another answer', 200, '{"keys":[],"more":1}'],
    ['a key twice', 200, '{"keys":[],"keys":[]}'],
    ['a refusal without a code', 403, '{}'],
    ['a refusal with a strange code', 403, '{"error":"<script>"}'],
    ['too much', 200, `"${'x'.repeat(1024 * 1024)}"`],
  ])('takes no answer that is %s', async (_name, status, text) => {
    const node = await start({
      answer: (request, response) => {
        if (request.url !== '/v1/keys') return undefined;
        response.writeHead(status);
        response.end(text);
        return true;
      },
    });
    const client = await connect(node);
    expect(await codeOf(client.keys())).toBe('ANSWER_MALFORMED');
  });

  it('seals a share anew for a node that has restarted', async () => {
    const { group, shares } = dealShares({ type: 'frost-ed25519', threshold: 2, participants: 3 });
    const [share] = shares;
    if (share === undefined) throw new RangeError('a group has shares');
    const first = await start();
    const client = await connect(first);
    await first.close();
    const second = await start({ port: first.port });
    const sealedTo: string[] = [];
    const attempt = client.importShare('shared', (importKey, destination) => {
      sealedTo.push(`${destination.session} ${Buffer.from(importKey).toString('hex')}`);
      return sealShare(group, share, importKey, destination);
    });
    // This node answers everything as if it were asked for its keys.
    expect(await codeOf(attempt)).toBe('ANSWER_MALFORMED');
    const keyOf = ({ importKey }: FakeNode) => Buffer.from(importKey.publicKey).toString('hex');
    expect(sealedTo).toEqual([`${first.session} ${keyOf(first)}`, `${second.session} ${keyOf(second)}`]);
    expect(second.requests).toEqual(['POST /v1/attestation', 'PUT /v1/keys/shared/share']);
  });

  it('signs each request anew', async () => {
    const node = await start();
    const client = await connect(node);
    const payload = { kind: 'digest', digest: randomBytes(32).toString('hex') } as const;
    const sign = () => codeOf(client.sign({ key: 'hot', algorithm: 'bip340', payload }));
    // The fake node's answer is no signature; a repeated one would be a refusal.
    expect([await sign(), await sign()]).toEqual(['ANSWER_MALFORMED', 'ANSWER_MALFORMED']);
  });
});
