import { readFileSync } from 'node:fs';
import { connect } from '@nats-io/transport-node';
import { jetstream } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Log } from '../../../parent/common/log.ts';
import { ArtifactError } from '../../../parent/artifacts/errors.ts';
import { readNatsIdentity } from '../../../parent/peers/nats/identity.ts';
import type { CertificateFiles } from '../../../parent/peers/options.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Authority, createAuthority } from './authority.ts';
import type { FakeEnclave } from './enclave.ts';
import { findNatsServer, type NatsCluster, startNatsCluster } from './nats-servers.ts';
import { closeAll, closeLater, startNode, startNodeParent, until } from './start-node.ts';

const program = findNatsServer();

describe.skipIf(program === undefined)('parents with three NATS servers', () => {
  let authority: Authority;
  let cluster: NatsCluster;
  beforeAll(async () => {
    authority = createAuthority(temporaryFolder());
    cluster = await startNatsCluster(program ?? '', authority);
  });
  afterEach(closeAll);
  afterAll(async () => {
    await cluster?.stop();
  });

  let issued = 0;
  const issue = (as: string, by = authority) => by.issue(`c${(issued += 1)}`, [`DNS:${as}.acme.example`]);
  const options = (node: number, tls = issue(`node-${node}`), more: { maxBytes?: number } = {}) => ({
    nodes: [1, 2, 3].filter((one) => one !== node).map((one) => ({ node: one })),
    nats: { servers: cluster.servers, namespace: 'acme', environment: 'production', tls, ...more },
  });
  type Started = Awaited<ReturnType<typeof startNodeParent>>;
  const isOk = ({ peers }: Started) => peers.status.peers.every(({ isConnected }) => isConnected);
  const outcomeOf = ({ peers }: Started) => peers.status.peers[0]?.outcome ?? null;
  /** Sends a text again and again, as the channel does, until it has come. */
  const arrives = async (from: FakeEnclave, to: number, at: FakeEnclave, text: string) => {
    const has = () => at.delivered.some(({ bytes }) => Buffer.from(bytes).toString() === text);
    // A cluster that has lost a server elects others, on a busy machine more than once.
    const end = performance.now() + 150_000;
    while (!has()) {
      if (performance.now() > end) throw new Error(`${text} has not come`);
      await from.send(to, text);
      await until(text, has, 500).catch(() => undefined);
    }
  };
  const texts = (enclave: FakeEnclave) => enclave.delivered.map(({ bytes }) => Buffer.from(bytes).toString());

  it('carry datagrams, both ways', async () => {
    const [a, b] = [await startNode(1, options(1)), await startNode(2, options(2))];
    await arrives(a.enclave, 2, b.enclave, 'there');
    await arrives(b.enclave, 1, a.enclave, 'and back');
    expect(a.enclave.delivered[0]?.from).toBe(2);
    expect(outcomeOf(a)).toBe('ok');
  });

  /** What a secret of AWS would hold of a node: certificate and key in one text. */
  const secretOf = (files: CertificateFiles) =>
    [files.certificate, files.key].map((path) => readFileSync(path, 'utf8')).join('');
  const bySecret = (node: number, read: () => Promise<string>) => {
    const { nodes, nats } = options(node);
    const { tls: _files, ...servers } = nats;
    const ca = readFileSync(authority.ca, 'utf8');
    return { nodes, nats: { ...servers, identity: () => readNatsIdentity({ ca, read, user: undefined }) } };
  };

  it('take what they show from a secret, as it is when they connect, and go on when a server is gone', async () => {
    let reads = 0;
    let server = '';
    const secret = secretOf(issue('node-1'));
    const read = () => {
      reads += 1;
      if (reads === 1) return Promise.reject(new ArtifactError('ARTIFACT_UNAVAILABLE', 'no'));
      return Promise.resolve(reads === 2 ? 'no certificate' : secret);
    };
    const outcomes: unknown[] = [];
    const log: Log = (_level, event, fields) => {
      if (event === 'peers.nats-failed') outcomes.push(fields?.['code']);
      if (event === 'peers.nats-connected') server = String(fields?.['server']);
    };
    const [a, b] = [await startNode(1, { ...bySecret(1, read), log }), await startNode(2, options(2))];
    await until('it is connected', () => outcomeOf(a) === 'ok');
    expect(outcomes.slice(0, 2)).toEqual(['SECRET_UNAVAILABLE', 'SECRET_UNUSABLE']);
    expect(a.peers.status.certificateExpiration).toBeGreaterThan(Date.now());
    await arrives(a.enclave, 2, b.enclave, 'there');
    await arrives(b.enclave, 1, a.enclave, 'and back');
    const before = reads;
    // The very server to which it has connected.
    const index = cluster.servers.findIndex((url) => url.endsWith(server.slice(server.lastIndexOf(':'))));
    await cluster.kill(index);
    await arrives(a.enclave, 2, b.enclave, 'by another server');
    await arrives(b.enclave, 1, a.enclave, 'and back by it');
    expect(reads).toBeGreaterThan(before);
    await cluster.start(index);
  });

  it('are nobody else by a secret of another node', async () => {
    const { peers } = await startNode(
      1,
      bySecret(1, () => Promise.resolve(secretOf(issue('node-2')))),
    );
    await until('it is refused', () => peers.status.peers[0]?.outcome !== null);
    await expect.poll(() => peers.status.peers[0]?.outcome).toBe('NOT_AUTHORISED');
  });

  it('keep what is for a node that is away, in order, until its enclave has taken it', async () => {
    const a = await startNode(1, options(1));
    const before = await startNode(3, options(3));
    await arrives(a.enclave, 3, before.enclave, 'ready');
    await before.peers.close();
    for (const text of ['one', 'two', 'three']) await a.enclave.send(3, text);
    await until('three are kept', () => (a.peers.counters.of(3).sent.frames ?? 0) >= 4);
    // The parent is back, and its enclave boots still.
    const after = await startNodeParent(3, options(3));
    await until('the parent is connected', () => outcomeOf(after) === 'ok');
    await a.enclave.send(3, 'four');
    await until('four are kept', () => (a.peers.counters.of(3).sent.frames ?? 0) >= 5);
    expect(after.peers.counters.of(1).received.frames).toBe(0);
    const enclave = await after.connect();
    await until('all have come', () => texts(enclave).includes('four'));
    expect(texts(enclave).filter((text) => text !== 'ready')).toEqual(['one', 'two', 'three', 'four']);
    await after.peers.close();
    // What the enclave has taken does not come again.
    const last = await startNode(3, options(3));
    await arrives(a.enclave, 3, last.enclave, 'five');
    expect(new Set(texts(last.enclave))).toEqual(new Set(['five']));
  });

  it.each([0, 1, 2])('go on without server %i', async (index) => {
    const [a, b] = [await startNode(1, options(1)), await startNode(2, options(2))];
    await arrives(a.enclave, 2, b.enclave, 'before');
    await cluster.kill(index);
    // The tests after this one have all three servers again, however it ends.
    onTestFinished(async () => await cluster.start(index));
    await arrives(a.enclave, 2, b.enclave, 'without it');
    await arrives(b.enclave, 1, a.enclave, 'nor back');
    await cluster.start(index);
    await arrives(a.enclave, 2, b.enclave, 'with it again');
    expect(isOk(a) && isOk(b)).toBe(true);
  });

  it('do not flood a node that was away: the oldest go when its stream is full', async () => {
    const small = { maxBytes: 1024 * 1024 };
    const a = await startNode(1, options(1));
    const before = await startNode(3, options(3, undefined, small));
    await arrives(a.enclave, 3, before.enclave, 'ready');
    await before.peers.close();
    for (let index = 0; index < 40; index += 1) await a.enclave.send(3, Buffer.alloc(60_000, index));
    await until('all are acknowledged', () => (a.peers.counters.of(3).sent.frames ?? 0) >= 41);
    const after = await startNode(3, options(3, undefined, small));
    const last = () => after.enclave.delivered.at(-1)?.bytes[0];
    await until('the newest has come', () => last() === 39);
    expect(after.enclave.delivered.length).toBeLessThan(20);
  });

  it('start while no server is there, and say so', async () => {
    const tls = issue('node-1');
    const nats = { servers: ['tls://localhost:9'], namespace: 'acme', environment: 'production', tls };
    const a = await startNode(1, { nodes: [{ node: 2 }], nats });
    await a.enclave.send(2, 'into nothing');
    await until('it says so', () => outcomeOf(a) === 'CONNECT_FAILED');
    expect(a.peers.status.peers).toMatchObject([{ node: 2, isConnected: false }]);
  });

  it('are refused with a certificate that names no user', async () => {
    const a = await startNode(1, options(1, issue('node-9')));
    await until('the refusal', () => outcomeOf(a) === 'NOT_AUTHORISED');
    expect(outcomeOf(a)).toBe('NOT_AUTHORISED');
  });

  it('are refused with a certificate of another authority', async () => {
    const other = createAuthority(temporaryFolder(), 'other');
    const foreign = { ...issue('node-1', other), ca: authority.ca };
    const a = await startNode(1, options(1, foreign));
    await until('the refusal', () => outcomeOf(a) !== null);
    // In TLS 1.3 the client's handshake is over before the server refuses; the library then waits for its time-out.
    expect(['TLS_FAILED', 'CONNECT_FAILED', 'CONNECT_TIMEOUT']).toContain(outcomeOf(a));
    expect(a.peers.status.peers[0]?.isConnected).toBe(false);
  });

  it('refuse servers of another authority', async () => {
    const other = createAuthority(temporaryFolder(), 'other');
    const a = await startNode(1, options(1, { ...issue('node-1'), ca: other.ca }));
    await until('the refusal', () => outcomeOf(a) === 'TLS_FAILED');
    expect(outcomeOf(a)).toBe('TLS_FAILED');
  });

  it('can neither send as another node nor read what is for one', async () => {
    const b = await startNode(2, options(2));
    const c = await startNode(3, options(3));
    await arrives(b.enclave, 3, c.enclave, 'ready');
    // The parent of node 1 runs with a certificate of node 2.
    const a = await startNode(1, options(1, issue('node-2')));
    await until('the refusal', () => outcomeOf(a) === 'NOT_AUTHORISED');
    await a.enclave.send(3, 'as node 1');
    await until('it is refused', () => a.peers.counters.of(3).dropped.has('sent/NOT_ACKNOWLEDGED'));
    expect(texts(c.enclave)).not.toContain('as node 1');
    const tls = issue('node-2');
    const connection = await connect({
      servers: [...cluster.servers],
      tls: { caFile: tls.ca, certFile: tls.certificate, keyFile: tls.key },
      inboxPrefix: '_INBOX.holdfast.acme.production.2',
    });
    closeLater(connection);
    const consumerOf = (node: number, timeout: number) =>
      jetstream(connection, { timeout }).consumers.get(`holdfast_acme_production_${node}`, 'node');
    await expect(consumerOf(3, 2_000)).rejects.toThrow(Error);
    await expect(consumerOf(2, 30_000)).resolves.toBeDefined();
    const subscription = connection.subscribe('holdfast.acme.production.3.*');
    await expect(subscription[Symbol.asyncIterator]().next()).rejects.toThrow(Error);
  });
});
