import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEnvelope, signEnvelope } from '../../../shared/dsse/index.ts';
import { generateKeyPairSync } from 'node:crypto';
import {
  buildStandInImage,
  composeDeployment,
  type DeploymentParts,
  type StandInImage,
  writeDeployment,
} from '../../../local/testbed/host/index.ts';
import {
  createFolderSource,
  createLayout,
  deploy,
  type DeployOptions,
  DeployError,
} from '../../../parent/deploy/index.ts';
import { assertRoom } from '../../../parent/deploy/preconditions.ts';
import { createServiceManager } from '../../../parent/deploy/service-manager.ts';
import { takeLock } from '../../../parent/deploy/lock.ts';
import { CONFIGURATION_PAYLOAD_TYPE } from '../../../shared/documents/configuration.ts';
import { digestManifest } from '../../../shared/documents/manifest.ts';
import { errorCode } from '../../../shared/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const AUTHORITY = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
const ORDER = { id: 'initialise-1', notAfter: '2030-01-01T00:00:00Z', password: 'generated' };

const makeManifest = (change: object = {}) =>
  new Uint8Array(
    Buffer.from(
      JSON.stringify({
        format: 'holdfast-manifest/1',
        namespace: 'demo',
        environment: 'test',
        node: 1,
        quorum: { size: 3, threshold: 2 },
        kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1', region: 'eu-central-1' },
        configurationAuthority: { threshold: 1, keys: [AUTHORITY] },
        emergencyRecovery: { publicKey: '11'.repeat(32) },
        ...change,
      }),
    ),
  );

function makeConfiguration(manifest: Uint8Array, signer = privateKey): Uint8Array {
  const document = {
    format: 'holdfast-configuration/1',
    manifest: Buffer.from(digestManifest(manifest)).toString('hex'),
    version: 1,
    initialise: ORDER,
    clients: [],
    keys: [],
    rules: [],
  };
  const envelope = createEnvelope(CONFIGURATION_PAYLOAD_TYPE, Buffer.from(JSON.stringify(document)));
  return new Uint8Array(Buffer.from(JSON.stringify(signEnvelope(envelope, signer))));
}

const MANIFEST = makeManifest();
let image: StandInImage | undefined;
let folder: string;
let root: string;
/** What was asked of systemd and nitro-cli. */
let asked: string[];

/** Writes a deployment; returns its folder. */
async function write(parts: Partial<DeploymentParts> = {}): Promise<string> {
  image ??= await buildStandInImage(join(import.meta.dirname, '../../..'));
  const manifest = parts.manifest ?? MANIFEST;
  const source = join(folder, `source-${asked.length}`);
  await writeDeployment(
    source,
    composeDeployment({ image, manifest, configuration: makeConfiguration(manifest), ...parts }),
  );
  return source;
}

function optionsOf(source: string | undefined, change: Partial<DeployOptions> = {}): DeployOptions {
  let active = 'inactive';
  return {
    layout: createLayout(root),
    source: source === undefined ? undefined : createFolderSource(source),
    manager: {
      state: () => Promise.resolve({ load: 'loaded', active }),
      start: () => {
        active = 'active';
        asked.push('start');
        return Promise.reject(new DeployError('SYSTEMCTL_FAILED', 'no systemd here'));
      },
      stop: () => {
        asked.push('stop');
        return Promise.resolve();
      },
    },
    nitro: { describe: () => Promise.resolve([]), terminate: () => Promise.resolve() },
    timeoutMs: 1_000,
    clock: Date.now,
    onProgress: () => undefined,
    ...change,
  };
}

const codeOf = (options: DeployOptions) =>
  deploy(options).then(
    () => 'ACCEPTED',
    (error: unknown) => errorCode(error),
  );
const refusal = async (source: string | undefined, change: Partial<DeployOptions> = {}) =>
  await codeOf(optionsOf(source, change));

beforeEach(() => {
  folder = temporaryFolder();
  root = join(folder, 'root');
  asked = [];
});

describe('a deployment', () => {
  it('gets as far as the start where all is in order', async () => {
    expect(await refusal(await write())).toBe('SYSTEMCTL_FAILED');
    expect(asked).toEqual(['stop', 'start']);
    const text = await readFile(join(root, 'etc/holdfast/parent.yaml'), 'utf8');
    expect(text).toMatch(/^# holdfast deployment [0-9a-f]{64}\n/);
  });

  it.each(['enclave.eif', 'pcr.json', 'manifest.json', 'configuration.json'])(
    'refuses a changed, cut, longer or missing %s',
    async (name) => {
      const source = await write();
      const bytes = await readFile(join(source, name));
      const changed = Buffer.from(bytes);
      changed[bytes.length >> 1] = (changed[bytes.length >> 1] ?? 0) ^ 1;
      for (const other of [changed, bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.of()]) {
        await writeFile(join(source, name), other);
        expect(await refusal(source)).toBe('DEPLOYMENT_FILE_ALTERED');
      }
      await rm(join(source, name));
      expect(await refusal(source)).toBe('DEPLOYMENT_MISSING');
      expect(asked).toEqual([]);
      expect(await readdir(join(root, 'etc/holdfast/deployments'))).toEqual([]);
    },
  );

  it('refuses a document that is cut at any place, or has one member more', async () => {
    const source = await write();
    const path = join(source, 'deployment.json');
    const text = await readFile(path, 'utf8');
    for (const length of [0, 1, text.length >> 1, text.length - 3]) {
      await writeFile(path, text.slice(0, length));
      expect(await refusal(source)).toBe('DEPLOYMENT_MALFORMED');
    }
    const value = JSON.parse(text) as Record<string, unknown>;
    for (const other of [
      { ...value, more: 1 },
      { ...value, format: 'holdfast-deployment/2' },
      { ...value, nonce: 'ab' },
    ]) {
      await writeFile(path, JSON.stringify(other));
      expect(await refusal(source)).toBe('DEPLOYMENT_MALFORMED');
    }
    await writeFile(path, ' '.repeat(300_000));
    expect(await refusal(source)).toBe('DEPLOYMENT_MALFORMED');
    expect(asked).toEqual([]);
  });

  it('refuses another document than the address names', async () => {
    const source = createFolderSource(await write());
    const named = { ...source, id: '00'.repeat(32) };
    expect(await codeOf({ ...optionsOf(undefined), source: named })).toBe('DEPLOYMENT_DIGEST_MISMATCH');
  });

  it('refuses an image that is not the one of pcr.json', async () => {
    const source = await write();
    const pcrs = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(7)]));
    const other = await write({ image: { bytes: await readFile(join(source, 'enclave.eif')), pcrs } });
    expect(await refusal(other)).toBe('DEPLOYMENT_IMAGE_UNEXPECTED');
    const noImage = await write({ image: { bytes: Buffer.from('no image'), pcrs } });
    expect(await refusal(noImage)).toBe('DEPLOYMENT_IMAGE_UNEXPECTED');
    expect(asked).toEqual([]);
  });

  it('refuses a manifest of another PCR16, of another node, and one that is none', async () => {
    const source = await write();
    const path = join(source, 'deployment.json');
    const value = JSON.parse(await readFile(path, 'utf8')) as { manifestPcr: string; node: number };
    await writeFile(path, JSON.stringify({ ...value, manifestPcr: '00'.repeat(48) }));
    expect(await refusal(source)).toBe('DEPLOYMENT_MANIFEST_UNEXPECTED');
    for (const change of [{ node: 2 }, { namespace: 'other' }, { environment: 'other' }]) {
      await writeFile(path, JSON.stringify({ ...value, ...change }));
      expect(await refusal(source)).toBe('DEPLOYMENT_OTHER_NODE');
    }
    expect(asked).toEqual([]);
  });

  it('refuses a configuration that others have signed, and one for another manifest', async () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const unsigned = await write({ configuration: makeConfiguration(MANIFEST, stranger) });
    expect(await refusal(unsigned)).toBe('DEPLOYMENT_CONFIGURATION_REFUSED');
    const other = await write({ configuration: makeConfiguration(makeManifest({ node: 2 })) });
    expect(await refusal(other)).toBe('DEPLOYMENT_CONFIGURATION_REFUSED');
    expect(asked).toEqual([]);
  });

  it('refuses settings that make no parent.yaml', async () => {
    const parts: Partial<DeploymentParts>[] = [
      { parent: { ingress: { listen: 'nowhere' } } },
      { parent: { egress: { allowlist: 'all' } } },
      { parent: { peers: { node: 1, listen: '0.0.0.0:7443', nodes: [{ node: 1 }] } } },
    ];
    for (const part of parts) expect(await refusal(await write(part))).toBe('DEPLOYMENT_SETTINGS_INVALID');
    await mkdir(join(root, 'etc/holdfast'), { recursive: true });
    for (const text of ['unknown: 1', 'address: example.com', ': :', '- 1']) {
      await writeFile(join(root, 'etc/holdfast/host.yaml'), text);
      expect(await refusal(await write())).toBe('DEPLOYMENT_SETTINGS_INVALID');
    }
    expect(asked).toEqual([]);
  });

  it('refuses a host without the unit, without systemctl, with a folder of others', async () => {
    const source = await write();
    const manager = {
      ...optionsOf(source).manager,
      state: () => Promise.resolve({ load: 'not-found', active: 'inactive' }),
    };
    expect(await refusal(source, { manager })).toBe('DEPLOYMENT_UNIT_MISSING');
    expect(await refusal(source, { manager: createServiceManager('no-such-systemctl') })).toBe(
      'SYSTEMCTL_MISSING',
    );
    expect(await refusal(source, { manager: createServiceManager('false') })).toBe('SYSTEMCTL_FAILED');
    expect(await refusal(source, { manager: createServiceManager('true') })).toBe('SYSTEMCTL_FAILED');
    await chmod(join(root, 'etc/holdfast/deployments'), 0o777);
    expect(await refusal(source)).toBe('DEPLOYMENT_PERMISSIONS');
    expect(asked).toEqual([]);
  });

  it('refuses a second run while one is under way', async () => {
    const source = await write();
    const { own } = createLayout(root);
    await mkdir(own, { recursive: true, mode: 0o700 });
    {
      using _other = takeLock(join(own, 'lock.sqlite'));
      expect(await refusal(source)).toBe('DEPLOYMENT_BUSY');
    }
    expect(await refusal(source)).toBe('SYSTEMCTL_FAILED');
  });

  it('says what cannot be read or written, in place of what is none of its files', async () => {
    const source = await write();
    await mkdir(join(root, 'etc/holdfast/parent.yaml'), { recursive: true });
    expect(await refusal(source)).toBe('DEPLOYMENT_PERMISSIONS');
    await rm(join(root, 'etc/holdfast/parent.yaml'), { recursive: true });
    await writeFile(join(createLayout(root).own, 'lock.sqlite'), 'no lock'.repeat(1_000));
    expect(await refusal(source)).toBe('DEPLOYMENT_PERMISSIONS');
    await rm(join(root, 'etc'), { recursive: true });
    await writeFile(join(root, 'etc'), 'no folder');
    expect(await refusal(source)).toBe('DEPLOYMENT_PERMISSIONS');
  });

  it('refuses a disk without room', async () => {
    const full = () => Promise.resolve({ bavail: 1, bsize: 4_096 });
    await expect(assertRoom('/', 1, full)).rejects.toMatchObject({ code: 'DEPLOYMENT_DISK_FULL' });
  });

  it('goes back to nothing on a host that had nothing', async () => {
    expect(await refusal(undefined)).toBe('DEPLOYMENT_NO_PREVIOUS');
    expect(await refusal(await write())).toBe('SYSTEMCTL_FAILED');
    expect(await refusal(undefined)).toBe('DEPLOYMENT_NO_PREVIOUS');
  });

  it('keeps a parent.yaml that a person wrote', async () => {
    await mkdir(join(root, 'etc/holdfast'), { recursive: true });
    await writeFile(join(root, 'etc/holdfast/parent.yaml'), 'by hand');
    expect(await refusal(await write())).toBe('SYSTEMCTL_FAILED');
    expect(await readFile(join(root, 'etc/holdfast/parent.yaml.by-hand'), 'utf8')).toBe('by hand');
  });

  it('fetches a file anew that was changed on the disk', async () => {
    const source = await write();
    await refusal(source);
    const [id = ''] = await readdir(join(root, 'etc/holdfast/deployments'));
    const path = join(root, 'etc/holdfast/deployments', id, 'pcr.json');
    await chmod(path, 0o644);
    await writeFile(path, 'changed');
    expect(await refusal(source)).toBe('SYSTEMCTL_FAILED');
    expect(await readFile(path)).toEqual(await readFile(join(source, 'pcr.json')));
  });

  it('follows no link that lies under a name of its own', async () => {
    const source = await write();
    await mkdir(join(root, 'etc/holdfast'), { recursive: true });
    const victim = join(folder, 'victim');
    await writeFile(victim, 'untouched');

    await symlink(victim, join(root, 'etc/holdfast/parent.yaml.new'));
    await refusal(source);
    expect(await readFile(victim, 'utf8')).toBe('untouched');
  });
});
