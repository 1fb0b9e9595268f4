import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { DecryptCommand, EncryptCommand, KMSClient, CreateKeyCommand } from '@aws-sdk/client-kms';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KmsAgent } from '../../enclave/unlock/kms-agent.ts';
import { ADMINISTRATOR_POLICY } from '../../local/aws/index.ts';
import { startLocalAws } from '../../local/testbed/local-aws.ts';
import { startParent } from '../../parent/index.ts';
import { createControlClient } from '../../shared/protocol/control-client.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID, parentOptions } from '../support/parent-options.ts';
import { readText } from '../support/read-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** Whether this user may have a mount of its own. */
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

let directory: string;
let target: Server;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = temporaryFolder();
  target = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  await writeFile(join(directory, 'manifest.json'), 'manifest');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  target.close();
});

const enclave = () => createUnixTransport({ directory: join(directory, 'vsock'), cid: ENCLAVE_CID });
const open = (timeoutMs = 30_000): Promise<Duplex> =>
  openEgress(enclave(), { host: 'kms.example.com', port: 443 }, { timeoutMs });

/** The daemon, after a command of the shell's that limits one of its resources. */
async function runLimited(
  limit: string,
  { store = `${directory}/records.sqlite`, launcher = [] as readonly string[] } = {},
): Promise<ChildProcess> {
  const path = join(directory, 'parent.yaml');
  await writeFile(
    path,
    `
enclave: {cid: ${ENCLAVE_CID}}
transport: {unix: ${directory}/vsock}
artifacts: {manifest: ${directory}/manifest.json, configuration: ${directory}/configuration.json, secrets: ${directory}/secrets}
store: {sqlite: ${store}}
egress:
  allowlist:
    - {host: kms.example.com, port: 443, connectTo: {address: 127.0.0.1, port: ${(target.address() as AddressInfo).port}}}
log: error
`,
  );
  const daemon = ['sh', '-c', `${limit}; exec "$0" "$@"`, process.execPath, MAIN, 'parent', 'run'];
  const [program, ...args] = [...launcher, ...daemon, '--config', path];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

describe('a parent in trouble', () => {
  test('outlives the exhaustion of its descriptors, and serves again once there are some', async () => {
    const child = await runLimited('ulimit -n 100');
    const client = createControlClient(enclave(), { timeoutMs: 30_000 });
    await client.manifest();
    const attempts = await Promise.allSettled(Array.from({ length: 200 }, () => open(5_000)));
    const opened = attempts.filter((attempt) => attempt.status === 'fulfilled').map(({ value }) => value);
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.length).toBeLessThan(100);
    for (const stream of opened) stream.destroy();
    await expect
      .poll(
        () =>
          open().then(
            (one) => one.destroy(),
            () => 'refused',
          ),
        { timeout: 20_000 },
      )
      .not.toBe('refused');
    const stream = await open();
    stream.end('alive');
    expect(await readText(stream)).toBe('alive');
    expect(await client.manifest()).toHaveLength(8);
    expect(child.exitCode).toBeNull();
    client.close();
  });

  test('refuses commits while the disk is full, and loses none that it acknowledged', async () => {
    // A file may not grow beyond 200 blocks of 512 bytes: writes fail as on a full disk.
    const child = await runLimited('ulimit -f 200');
    const client = createControlClient(enclave(), { timeoutMs: 30_000 });
    const bytes = new Uint8Array(8_192).fill(7);
    let acknowledged = 0;
    const fill = async () => {
      for (; acknowledged < 100; acknowledged += 1) {
        await client.commit([{ table: 't', id: `record-${acknowledged}`, expectedRevision: 0, bytes }]);
      }
    };
    await expect(fill()).rejects.toMatchObject({
      code: expect.stringMatching(/^CONTROL_(STORE_FAILED|COMMIT_UNRESOLVED)$/) as string,
    });
    expect(acknowledged).toBeGreaterThan(2);
    expect(await client.manifest()).toHaveLength(8);
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await runLimited(':');
    expect(await client.listRecords()).toHaveLength(acknowledged);
    await client.commit([{ table: 't', id: 'after', expectedRevision: 0, bytes }]);
    client.close();
  });

  test.skipIf(!canMount)(
    'refuses commits while its file system has no room, and takes them again once there is some',
    async () => {
      await mkdir(join(directory, 'store'));
      const child = await runLimited(
        `mount -t tmpfs -o size=1m store '${directory}/store' && head -c 400000 /dev/zero > '${directory}/store/ballast'`,
        { store: `${directory}/store/records.sqlite`, launcher: ['unshare', '-rm'] },
      );
      const client = createControlClient(enclave(), { timeoutMs: 30_000 });
      const bytes = new Uint8Array(8_192).fill(7);
      let acknowledged = 0;
      const commit = async () => {
        await client.commit([{ table: 't', id: `record-${acknowledged}`, expectedRevision: 0, bytes }]);
        acknowledged += 1;
      };
      const fill = async () => {
        for (let count = 0; count < 200; count += 1) await commit();
      };
      await expect(fill()).rejects.toMatchObject({ code: 'CONTROL_STORE_FAILED' });
      expect(acknowledged).toBeGreaterThan(2);
      expect(await client.listRecords()).toHaveLength(acknowledged);
      // The mount is the daemon's own.
      await rm(`/proc/${child.pid}/root${directory}/store/ballast`);
      await commit();
      expect(await client.listRecords()).toHaveLength(acknowledged);
      expect(child.exitCode).toBeNull();
      client.close();
    },
    60_000,
  );

  test.each([-86_400_000, 86_400_000])('does not mind a clock that jumps by %i ms', async (jump) => {
    const parent = await startParent(
      parentOptions(join(directory, 'vsock'), {
        manifest: () => {
          vi.setSystemTime(Date.now() + jump);
          return Promise.resolve(Uint8Array.of(1));
        },
        egress: {
          targets: [
            {
              host: 'kms.example.com',
              port: (target.address() as AddressInfo).port,
              networks: ['127.0.0.0/8'],
            },
          ],
          lookUp: () => {
            vi.setSystemTime(Date.now() + jump);
            return Promise.resolve(['127.0.0.1']);
          },
          idleTimeoutMs: 60_000,
        },
      }),
    );
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const client = createControlClient(enclave(), { timeoutMs: 30_000 });
      expect(await client.manifest()).toEqual(Uint8Array.of(1));
      const { port } = target.address() as AddressInfo;
      const stream = await openEgress(enclave(), { host: 'kms.example.com', port }, { timeoutMs: 30_000 });
      vi.setSystemTime(Date.now() + jump);
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      stream.end('still there');
      expect(await readText(stream)).toBe('still there');
      client.close();
    } finally {
      vi.useRealTimers();
      await parent.close(0);
    }
  });
});

describe('the AWS SDK through the parent', () => {
  test('makes an hour’s worth of KMS requests over TLS that ends in its own process', async () => {
    const aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }) });
    const host = 'kms.eu-central-1.amazonaws.com';
    const parent = await startParent(
      parentOptions(join(directory, 'vsock'), {
        egress: { targets: [{ host, port: 443, connectTo: { address: '127.0.0.1', port: aws.port } }] },
      }),
    );
    let connections = 0;
    const agent = new KmsAgent(
      (to) => {
        connections += 1;
        return openEgress(enclave(), to, { timeoutMs: 30_000 });
      },
      [aws.caPem],
      { maxSockets: 4 },
    );
    const client = new KMSClient({
      region: 'eu-central-1',
      maxAttempts: 1,
      credentials: aws.directory.createAccessKey({
        accountId: '111122223333',
        userName: 'parent-test',
        policies: [ADMINISTRATOR_POLICY],
      }),
      requestHandler: new NodeHttpHandler({ httpsAgent: agent }),
    });
    try {
      const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
      const KeyId = KeyMetadata?.KeyId ?? '';
      const { CiphertextBlob } = await client.send(
        new EncryptCommand({ KeyId, Plaintext: Buffer.from('once a second') }),
      );
      // One decryption a second for an hour, as fast as they go.
      let done = 0;
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let count = 0; count < 900; count += 1) {
            const { Plaintext } = await client.send(new DecryptCommand({ KeyId, CiphertextBlob }));
            if (Buffer.from(Plaintext ?? []).toString() === 'once a second') done += 1;
          }
        }),
      );
      expect(done).toBe(3_600);
      expect(connections).toBeLessThanOrEqual(8);
    } finally {
      client.destroy();
      agent.destroy();
      await parent.close(0);
      await aws.close();
    }
  }, 600_000);
});
