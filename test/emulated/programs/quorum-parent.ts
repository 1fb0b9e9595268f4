import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openVsockTransport } from '../../../shared/native/vsock-transport.ts';
import { PARENT_PORT } from '../../../shared/transport/ports.ts';
import { joinStreams } from './join-streams.ts';
import { ParentDaemon } from './parent-daemon.ts';
import { GUEST_PORT, type QuorumParentFile } from './quorum-files.ts';
import { report } from './report.ts';

// Runs in the guest at CID 3 beside the parent of node 1. The guest has no network but vsock: what the parent connects to on
// loopback goes to CID 2, the machine on which the other nodes and AWS's stand-in run, and what comes from there goes to
// the parent's ports on loopback.
const HOST_CID = 2;
const LOOPBACK = '127.0.0.1';
const CONNECT_TIMEOUT_MS = 10_000;
const file = JSON.parse(readFileSync('/app/quorum-parent.json', 'utf8')) as QuorumParentFile;
const vsock = openVsockTransport();

/** Takes connections on a port of loopback and carries them to the same port of CID 2. */
async function carryOut(port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    vsock.connect({ cid: HOST_CID, port }, { timeoutMs: CONNECT_TIMEOUT_MS }).then(
      (stream) => joinStreams(socket, stream),
      () => socket.destroy(),
    );
  });
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
}

/** Takes connections from CID 2 and carries them to the same port of loopback. */
async function carryIn(port: number): Promise<void> {
  await vsock.listen(port, ({ stream, peer }) => {
    if (peer.cid === HOST_CID) joinStreams(stream, connect({ port, host: LOOPBACK, allowHalfOpen: true }));
    else stream.destroy();
  });
}

await vsock.listen(PARENT_PORT.heartbeat, ({ stream, peer }) => {
  stream.once('data', (beat: Buffer) => {
    report('heartbeat', { cid: peer.cid, beat: beat.toString('hex') });
    stream.end(beat);
  });
});
for (const port of [file.aws, ...file.others.map(({ port }) => port)]) await carryOut(port);
for (const port of Object.values(GUEST_PORT)) await carryIn(port);

const secretsDirectory = '/tmp/secrets';
mkdirSync(secretsDirectory);
const { expiration, ...credentials } = file.credentials;
const options = {
  testNode: {
    manifest: file.manifest,
    manifestPath: '/app/manifest.json',
    configurationPath: '/app/configuration.json',
    secretsDirectory,
    storePath: '/tmp/store.sqlite',
    infrastructure: { parentCredentials: () => ({ ...credentials, expiration: new Date(expiration) }) },
  },
  awsPort: file.aws,
  cid: file.cid,
  peers: {
    node: file.node,
    listen: `${LOOPBACK}:${GUEST_PORT.peers}`,
    nodes: file.others.map(({ node, port }) => ({ node, address: `${LOOPBACK}:${port}` })),
  },
};
await ParentDaemon.check(options);
const daemon = await ParentDaemon.start(options);
report('ready');
while (daemon.outcome === undefined) await sleep(50);
report('outcome', { outcome: daemon.outcome });
