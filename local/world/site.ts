import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { MANIFEST_PCR, measureManifest } from '../../attestation/index.ts';
import { renderKeyPolicy } from '../../attestation/key-policy/index.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/node/encryption-context.ts';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import {
  type Configuration,
  CONFIGURATION_FORMAT,
  CONFIGURATION_PAYLOAD_TYPE,
  configurationSchema,
} from '../../shared/node/configuration.ts';
import {
  digestManifest,
  type Manifest,
  MANIFEST_FORMAT,
  manifestSchema,
} from '../../shared/node/manifest.ts';
import type { AwsCredentials } from '../aws/index.ts';
import { type Identity, loadIdentity } from './identity.ts';
import type { World } from './world.ts';

const REGION = 'eu-central-1';
const PARENT_ROLE = 'holdfast-parent';
const ADMIN_ROLE = 'policy-node-admin';

export interface SiteOptions {
  /** The node's place in its quorum, from 1. */
  readonly node: number;
  readonly quorum?: { readonly size: number; readonly threshold: number };
  readonly namespace?: string;
}

/** What a configuration says beside its format and manifest. */
export type ConfigurationBody = Omit<Configuration, 'format' | 'manifest'>;

/** One policy node and all that its admin has: an AWS account with a KMS key, a manifest, a configuration. */
export interface Site {
  readonly directory: string;
  readonly accountId: string;
  readonly keyArn: string;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** PCR16 of that manifest, 48 bytes. */
  readonly manifestPcr: Uint8Array;
  readonly manifestPath: string;
  readonly configurationPath: string;
  readonly secretsDirectory: string;
  readonly storePath: string;
  /** Signs configurations. */
  readonly authority: Identity;
  /** Asks for signatures. */
  readonly client: Identity;
  /** Credentials of the node's admin, for an hour by default. */
  readonly adminCredentials: (durationSeconds?: number) => AwsCredentials;
  /** Temporary credentials of the parent's instance role. */
  readonly parentCredentials: () => AwsCredentials;
  readonly kms: KMSClient;
  /**
   * Puts a key policy that lets images with these PCRs use the key; `initialise` also allows GenerateDataKey. During an
   * upgrade there are `others` besides.
   */
  allow(
    pcrs: ReadonlyMap<number, Uint8Array>,
    phase?: { initialise?: boolean; others?: readonly ReadonlyMap<number, Uint8Array>[] },
  ): Promise<void>;
  /** Signs a configuration, as an envelope's bytes. */
  sign(body: ConfigurationBody): Uint8Array;
  /** Signs a configuration and puts it where the parent reads it. */
  configure(body: ConfigurationBody): Promise<void>;
}

/** Makes a node's account, key and manifest, or finds them again in the world's state. */
export async function openSite(world: World, { node, ...options }: SiteOptions): Promise<Site> {
  const directory = join(world.stateDirectory, `node-${node}`);
  const secretsDirectory = join(directory, 'secrets');
  await mkdir(secretsDirectory, { recursive: true, mode: 0o700 });
  const accountId = String(node).repeat(12).slice(0, 12);
  const { aws } = world;
  const adminRole = aws.directory.defineRole({
    accountId,
    roleName: ADMIN_ROLE,
    policies: [ADMIN_IAM_POLICY],
  });
  const parentRole = aws.directory.defineRole({ accountId, roleName: PARENT_ROLE });
  const assume =
    (roleArn: string) =>
    (durationSeconds = 3600) =>
      aws.directory.assumeRole({ roleArn, sessionName: `node-${node}`, durationSeconds });
  const adminCredentials = assume(adminRole);
  const authority = await loadIdentity(join(world.stateDirectory, 'keys', 'authority.pem'), 'ed25519');
  const client = await loadIdentity(join(world.stateDirectory, 'keys', 'client.pem'), 'ed25519');
  const recovery = await loadIdentity(join(world.stateDirectory, 'keys', 'recovery.pem'), 'x25519');
  const kms = new KMSClient({
    ...aws.clientOptions('kms', REGION),
    credentials: () => Promise.resolve(adminCredentials()),
  });

  const manifestPath = join(directory, 'manifest.json');
  const configurationPath = join(directory, 'configuration.json');
  const manifestBytes =
    (await readIfThere(manifestPath)) ??
    (await makeManifest(manifestPath, {
      format: MANIFEST_FORMAT,
      namespace: options.namespace ?? 'demo',
      environment: 'local',
      node,
      quorum: options.quorum ?? { size: 1, threshold: 1 },
      kms: { keyArn: await createKey(kms, adminRole), region: REGION },
      configurationAuthority: { threshold: 1, keys: [authority.publicKey] },
      emergencyRecovery: { publicKey: recovery.publicKey },
    }));
  const manifest = manifestSchema.parse(JSON.parse(Buffer.from(manifestBytes).toString('utf8')));
  const { keyArn } = manifest.kms;
  const manifestPcr = measureManifest(manifestBytes);

  const sign = (body: ConfigurationBody) => {
    const configuration = configurationSchema.parse({
      format: CONFIGURATION_FORMAT,
      manifest: Buffer.from(digestManifest(manifestBytes)).toString('hex'),
      ...body,
    });
    const envelope = createEnvelope(
      CONFIGURATION_PAYLOAD_TYPE,
      Buffer.from(JSON.stringify(configuration, null, 2)),
    );
    return new Uint8Array(Buffer.from(JSON.stringify(signEnvelope(envelope, authority.privateKey), null, 2)));
  };
  return {
    directory,
    accountId,
    keyArn,
    manifest,
    manifestBytes,
    manifestPcr,
    manifestPath,
    configurationPath,
    secretsDirectory,
    storePath: join(directory, 'store.sqlite'),
    authority,
    client,
    adminCredentials,
    parentCredentials: assume(parentRole),
    kms,
    allow: async (pcrs, { others = [], ...phase } = {}) => {
      const admit = (image: ReadonlyMap<number, Uint8Array>) => ({
        pcrs: new Map([...image, [MANIFEST_PCR, manifestPcr] as const]),
      });
      const policy = renderKeyPolicy({
        nodeRole: parentRole,
        admins: [adminRole],
        images: [admit(pcrs), ...others.map(admit)],
        encryptionContext: encryptionContext(manifest, PASSWORD_SECRET),
        ...phase,
      });
      await kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy: policy }));
    },
    sign,
    configure: (body) => writeFile(configurationPath, sign(body)),
  };
}

const FIRST_ACTIONS = ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion'];

/** The admin's own rights; use of the key is not among them. */
const ADMIN_IAM_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['kms:CreateKey'], Resource: '*' }],
});

async function createKey(kms: KMSClient, adminRole: string): Promise<string> {
  const created = await kms.send(
    new CreateKeyCommand({
      Description: 'Holdfast policy node',
      // Its manifest names the key, so the first policy cannot name the manifest: nobody may use the key yet.
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: adminRole }, Action: FIRST_ACTIONS, Resource: '*' }],
      }),
    }),
  );
  const arn = created.KeyMetadata?.Arn;
  if (arn === undefined) throw new TypeError('KMS made a key without an ARN');
  return arn;
}

async function makeManifest(path: string, manifest: Manifest): Promise<Uint8Array> {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(path, bytes, { flag: 'wx' });
  return new Uint8Array(bytes);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
