import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakePoolNode } from '../../client/gateway/kms/fake-pool-node.ts';
import { freePort } from '../../support/free-ports.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { DoorProcess } from './door-process.ts';
import { writeGatewayFiles } from './gateway-files.ts';

let node: FakePoolNode;
const doors: DoorProcess[] = [];

beforeAll(async () => {
  node = await FakePoolNode.start();
});
afterAll(async () => {
  for (const door of doors) await door.end('SIGKILL');
  await node.node.close();
});

/** Starts `holdfast gateway kms` as a process. */
function startDoor(folder: string): DoorProcess {
  const door = new DoorProcess('kms', folder);
  doors.push(door);
  return door;
}

/** Refusal of `holdfast gateway kms` before it listens. */
const refuse = async (folder: string) =>
  refusalIn(await runHoldfast(['gateway', 'kms', '--config', `${folder}/gateway.yaml`, '--json']));

describe('holdfast gateway kms', () => {
  it('serves, logs names and codes alone, says when it is ready, and ends with 0 at SIGTERM', async () => {
    const door = startDoor(writeGatewayFiles(node.node.url));
    const { url } = await door.event('door.listens');
    const probes = await door.event('door.probes');
    await door.event('door.ready');
    const status = await runHoldfast(['gateway', 'status', '--url', String(probes['url'])]);
    expect(status).toMatchObject({ exit: 0, out: expect.stringMatching(/^ready\n/) as string });
    const kms = new KMSClient({
      endpoint: String(url),
      region: 'eu-central-1',
      credentials: { accessKeyId: 'HFAKTEST000000000001', secretAccessKey: 'of-the-door-alone' },
    });
    const made = await kms.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
    kms.destroy();
    expect(await door.event('request')).toMatchObject({
      id: made.$metadata.requestId,
      door: 'kms',
      client: 'backend',
      operation: 'CreateKey',
      key: made.KeyMetadata?.KeyId,
      code: 'OK',
      status: 200,
    });
    expect(await door.end()).toBe(0);
    expect(door.text).not.toContain('of-the-door-alone');
  });

  it('starts while no node answers, and says why it is not ready', async () => {
    const door = startDoor(writeGatewayFiles('https://127.0.0.1:1'));
    const probes = await door.event('door.probes');
    await door.event('door.not-ready');
    const status = await runHoldfast(['gateway', 'status', '--url', String(probes['url'])]);
    expect(status.exit).toBe(1);
    expect(status.err).toMatch(/^refused GATEWAY_NOT_READY: NODE_UNREACHABLE\n[^]*\n {2}next: ./);
    expect(await door.end('SIGINT')).toBe(0);
  });

  it('is asked at its own port where it has no listener for probes', async () => {
    const port = await freePort();
    const files = writeGatewayFiles(node.node.url, { probes: undefined, kms: { listen: { port } } });
    const door = startDoor(files);
    await door.event('door.ready');
    const status = await runHoldfast(['gateway', 'status', '--config', join(files, 'gateway.yaml')]);
    expect(status).toMatchObject({ exit: 0, out: expect.stringMatching(/^ready\n/) as string });
    expect(await door.end('SIGTERM')).toBe(0);
  });

  it.each([
    [
      'an address beyond this host',
      { kms: { listen: { host: '0.0.0.0', port: 0 } } },
      'GATEWAY_LISTEN_EXPOSED',
    ],
    ['an unknown field', { logPayloads: true }, 'GATEWAY_CONFIG_MALFORMED'],
    ['no section of its own', { kms: null }, 'GATEWAY_CONFIG_MALFORMED'],
    [
      'a credential of a client whose key it does not hold',
      {
        kms: {
          credentials: [
            { accessKeyId: 'HFAKTEST000000000001', secretAccessKey: { file: 'secret' }, client: 'other' },
          ],
        },
      },
      'GATEWAY_CONFIG_MALFORMED',
    ],
    [
      'a variable that is not there',
      { clients: [{ id: 'backend', key: { env: 'ABSENT' } }] },
      'GATEWAY_SECRET_MISSING',
    ],
    [
      'a certificate as a key',
      { clients: [{ id: 'backend', key: { file: 'root.pem' } }] },
      'KEY_FILE_MALFORMED',
    ],
  ])('refuses to start with %s', async (_, changes, code) => {
    const folder = writeGatewayFiles(node.node.url, changes);
    expect(await refuse(folder)).toMatchObject({ exit: 1, code });
  });

  it.each([
    ['gateway.yaml', 0o666, 'GATEWAY_CONFIG_EXPOSED'],
    ['holdfast.yaml', 0o622, 'PROFILE_EXPOSED'],
    ['secret', 0o644, 'KEY_FILE_EXPOSED'],
    ['client.pem', 0o604, 'KEY_FILE_EXPOSED'],
  ])('refuses to start where others may write or read %s (%o)', async (name, mode, code) => {
    const folder = writeGatewayFiles(node.node.url);
    chmodSync(join(folder, name), mode);
    expect(await refuse(folder)).toMatchObject({ exit: 1, code });
  });

  describe.skipIf(process.getuid?.() !== 0 || !existsSync('/dev/shm'))('(skipped without root)', () => {
    const mounts: string[] = [];
    afterAll(() => {
      for (const folder of mounts) rmSync(folder, { recursive: true });
    });

    /** Lays files out as Kubernetes mounts a Secret: in memory, root's, for all of the container to read. */
    function mountSecret(folder: string, version: string): string {
      const mount = mkdtempSync('/dev/shm/holdfast-secret-');
      mounts.push(mount);
      mkdirSync(join(mount, version));
      symlinkSync(version, join(mount, '..data'));
      for (const name of readdirSync(folder)) {
        cpSync(join(folder, name), join(mount, version, name));
        chmodSync(join(mount, version, name), 0o644);
        symlinkSync(join('..data', name), join(mount, name));
      }
      return mount;
    }

    it('starts with a Secret of Kubernetes, as a Pod mounts it by itself', async () => {
      const files = writeGatewayFiles(node.node.url);
      const door = startDoor(mountSecret(files, '..2026_01_01_00_00_00.123456789'));
      await door.event('door.ready');
      expect(await door.end()).toBe(0);
    });

    it.each([
      ['the same files in a folder of another name', '..copies', 0o644],
      ['a file that its group may write', '..2026_01_01_00_00_00.123456789', 0o664],
    ])('refuses to start with %s', async (_, version, mode) => {
      const mount = mountSecret(writeGatewayFiles(node.node.url), version);
      chmodSync(join(mount, version, 'secret'), mode);
      chmodSync(join(mount, version, 'client.pem'), 0o600);
      expect(await refuse(mount)).toMatchObject({ exit: 1, code: 'KEY_FILE_EXPOSED' });
    });
  });

  it('asks no door where none is', async () => {
    expect(
      refusalIn(await runHoldfast(['gateway', 'status', '--url', 'http://127.0.0.1:1', '--json'])),
    ).toMatchObject({
      exit: 1,
      code: 'GATEWAY_UNREACHABLE',
    });
  });
});
